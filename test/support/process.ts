/** A gateway as its own process, run from its sources, to be stopped or killed like one that `npm start` started. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { FROM_SOURCE } from './from-source.ts'

/** Budgets as long as they may be: on a slow machine an upstream's answer may take seconds. */
export const PATIENT = {
  ACOPAY_CLOSE_BUDGET_MS: '8000',
  ACOPAY_CHANNEL_CALL_MS: '8000',
  ACOPAY_LEASE_MS: '16000',
}

export type StartedProcess = {
  url: string
  demo: DemoSettings
  pid: number
  /** Everything it wrote so far. */
  output: () => string
  /** Sends the signal and resolves with the exit code (null where the signal ended it). */
  end: (signal: NodeJS.Signals) => Promise<number | null>
}

const SCRIPTS = path.resolve(import.meta.dirname, '../../scripts')
/** In a test run the sources have been made one file: see gateway-bundle.ts. */
export const START_FROM_SOURCE = process.env.ACOPAY_TEST_GATEWAY
  ? [process.env.ACOPAY_TEST_GATEWAY]
  : [...FROM_SOURCE, path.join(SCRIPTS, 'start-from-source.ts')]
/** `npm start` itself, which installs and builds first where that is needed. */
export const NPM_START = [path.join(SCRIPTS, 'start.cjs')]

/** Starts it without waiting; the variables are added to this process's own. */
export function spawnGateway(
  env: Record<string, string>,
  start: string[] = START_FROM_SOURCE,
): ChildProcess & { output: () => string } {
  return spawnNode(start, { PORT: '0', LOG_LEVEL: 'error', ...env })
}

/** A process of Node; the variables are added to this process's own. */
export function spawnNode(
  args: string[],
  env: Record<string, string> = {},
  cwd?: string,
): ChildProcess & { output: () => string } {
  const options = { cwd, env: { ...process.env, ...env } }
  const child = spawn(process.execPath, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return Object.assign(child, { output: () => Buffer.concat(chunks).toString() })
}

/** Starts it and resolves when it says where it listens; throws what it printed when it ends before. */
export async function startProcess(
  env: Record<string, string> & { ACOPAY_HOME: string },
  start?: string[],
): Promise<StartedProcess> {
  const child = spawnGateway(env, start)
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on('data', () => {
      const listening = /ACO Pay gateway +(http:\S+)[\s\S]*\n\n/.exec(child.output())?.[1]
      if (listening !== undefined) resolve(listening)
    })
    ended.then(() => reject(new Error(child.output())))
  })
  const demo = JSON.parse(readFileSync(path.join(env.ACOPAY_HOME, 'demo.json'), 'utf8')) as DemoSettings
  return {
    url,
    demo: { ...demo, baseUrl: url },
    pid: child.pid as number,
    output: child.output,
    end: async (signal) => {
      child.kill(signal)
      const [code] = await ended
      return code
    },
  }
}
