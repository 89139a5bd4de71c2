/** Makes a server's files, and runs its programs. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import type { Identity } from './identity.ts'
import { isAlive, type Place } from './place.ts'

/** The server's own user, and the name of the gateway's database. */
export const NAME = 'acopay'

export const cannotStart = (output: string): string => {
  const lines = output.split('\n').map((line) => line.trim())
  const line =
    lines.find((text) => /FATAL|PANIC|error|could not/i.test(text)) ?? lines.find((text) => text !== '') ?? 'no output'
  return `嵌入式数据库无法启动，可改设 DATABASE_URL (embedded PostgreSQL cannot start, or set DATABASE_URL): ${line}`
}

/** What the package's install script does; npm may be told not to run it. */
export function hydrate(native: string): void {
  const list = path.join(native, 'pg-symlinks.json')
  const links: { source: string; target: string }[] = fs.existsSync(list)
    ? JSON.parse(fs.readFileSync(list, 'utf8'))
    : []
  for (const link of links) {
    const [source, target] = [link.source, link.target].map((name) => path.resolve(native, '..', name)) as [
      string,
      string,
    ]
    try {
      fs.symlinkSync(path.relative(path.dirname(target), source), target)
    } catch (error) {
      if (!fs.existsSync(target)) throw error
    }
  }
  for (const name of ['initdb', 'postgres', 'pg_ctl']) {
    const program = path.join(native, 'bin', name)
    if ((fs.statSync(program).mode & 0o111) !== 0o111) fs.chmodSync(program, 0o755)
  }
}

/** A crash on the way never leaves half a cluster; of two gateways that do it at once, one wins and both use it. */
export async function createCluster({ dir, data, native, who }: Place, signal?: AbortSignal): Promise<void> {
  if (fs.existsSync(data)) return
  for (const name of fs.readdirSync(dir)) {
    const maker = /^data\.tmp-(\d+)$/.exec(name)?.[1]
    const isAbandoned = maker !== undefined && (Number(maker) === process.pid || !isAlive(Number(maker)))
    if (isAbandoned) fs.rmSync(path.join(dir, name), { recursive: true })
  }
  const fresh = `${data}.tmp-${process.pid}`
  const args = ['-D', fresh, '-U', NAME, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--data-checksums']
  const { code, output } = await finished(
    run(who, path.join(native, 'bin', 'initdb'), args, { stdio: ['ignore', 'pipe', 'pipe'] }),
    signal,
  )
  signal?.throwIfAborted()
  if (code !== 0) throw new Error(cannotStart(output))
  try {
    fs.renameSync(fresh, data)
  } catch (error) {
    if (!fs.existsSync(data)) throw error
    fs.rmSync(fresh, { recursive: true })
  }
}

/** `signal` ends it early; initdb then removes what it has made. */
function finished(child: ChildProcess, signal?: AbortSignal): Promise<{ code: number | null; output: string }> {
  const end = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', end)
  return new Promise((resolve) => {
    let output = ''
    child.stdout?.on('data', () => {})
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const settle = (code: number | null): void => {
      signal?.removeEventListener('abort', end)
      resolve({ code, output })
    }
    child.on('error', (error) => {
      output = error.message
      settle(null)
    })
    child.on('close', settle)
  })
}

/** In a group of its own: a signal to the gateway's group, such as Ctrl-C, is the gateway's to answer. */
export function run({ prefix, spawnAs }: Identity, program: string, args: string[], options: SpawnOptions) {
  const [first, ...rest] = [...prefix, program, ...args] as [string, ...string[]]
  return spawn(first, rest, { ...options, ...spawnAs, detached: true })
}
