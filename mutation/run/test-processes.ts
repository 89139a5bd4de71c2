/** Starts processes that run tests, each with a database server of its own, and ends everything that they left running. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { FROM_SOURCE } from '../../test/support/from-source.ts'
import type { Ask, Outcome } from './messages.ts'
import { MODE, ROOT, SERVED } from './places.ts'

export type TestProcess = {
  /** The folder of texts that its tests are served. */
  served: string
  ask: (ask: Ask) => Promise<Outcome>
  /** Before the next ask, this file is read again. */
  forget: (file: string) => void
  stop: () => Promise<void>
}

/** `record` or `plant`: see places.ts. `workers`: how many test files run at once in it. */
export async function startTestProcess(mode: 'record' | 'plant', workers: number): Promise<TestProcess> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'mut-'))
  // A PostgreSQL with Citus, which some tests start, belongs to another user where they run as root.
  fs.chmodSync(home, 0o755)
  const served = path.join(home, 'served')
  fs.mkdirSync(served)
  const postgres = await startEmbeddedPostgres(path.join(home, 'pg'), {
    settings: { fsync: 'off', max_connections: '200' },
  })
  // A test of this file runs in a Vitest itself, whose variables are not for ours.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'))
  const env = {
    ...Object.fromEntries(inherited),
    [MODE]: mode,
    [SERVED]: served,
    ACOPAY_MUTATION_WORKERS: String(workers),
    TEST_DATABASE_URL: urlOf(postgres),
    TMPDIR: home,
  }
  let child: ChildProcess | null = null
  const end = (): void => {
    if (child?.pid !== undefined) killGroup(child.pid)
    child = null
  }
  // Also when the conductor is ended in the middle.
  const onExit = (): void => {
    end()
    process.kill(postgres.pid, 'SIGQUIT')
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  }
  const forgotten = new Set<string>()
  process.once('exit', onExit)
  return {
    served,
    ask: async (ask) => {
      child ??= await launch(env)
      const outcome = await answered(child, { ...ask, changed: [...ask.changed, ...forgotten] })
      forgotten.clear()
      // A test that hangs leaves processes and connections behind: all of them go, and the next ask starts anew.
      if (outcome.kind === 'hung' || outcome.kind === 'broken') end()
      return outcome
    },
    forget: (file) => forgotten.add(file),
    stop: async () => {
      end()
      process.off('exit', onExit)
      await postgres.stop()
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

const urlOf = ({ connection: { host, port, user, database } }: EmbeddedPostgres): string =>
  `postgresql://${user}@${encodeURIComponent(host)}:${port}/${database}`

async function launch(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...FROM_SOURCE, path.join(ROOT, 'mutation/run/test-process.ts')], {
    cwd: ROOT,
    env,
    // A group of its own, so that the processes that its tests start can be ended with it.
    detached: true,
    stdio: ['ignore', process.env.ACOPAY_MUTATION_DEBUG ? 'inherit' : 'ignore', 'inherit', 'ipc'],
  })
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('Vitest did not start'))),
  ])
  return child
}

async function answered(child: ChildProcess, ask: Ask): Promise<Outcome> {
  const over = new AbortController()
  const ended = once(child, 'exit', { signal: over.signal }).then(
    (): Outcome => ({ kind: 'broken', why: 'the test process ended' }),
  )
  const answer = once(child, 'message', { signal: over.signal }).then(([outcome]) => outcome as Outcome)
  child.send(ask)
  const outcome = await Promise.race([answer, ended])
  over.abort()
  ended.catch(() => {})
  return outcome
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
