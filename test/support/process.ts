/** `npm start` as its own process, to be stopped or killed like one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { DemoSettings } from '../../apps/server/src/sandbox-seed.ts'

export type StartedProcess = {
  url: string
  demo: DemoSettings
  pid: number
  /** Everything it wrote so far. */
  output: () => string
  /** Sends the signal and resolves with the exit code (null where the signal ended it). */
  end: (signal: NodeJS.Signals) => Promise<number | null>
}

const START = path.resolve(import.meta.dirname, '../../scripts/start.cjs')

/** Starts it without waiting; the variables are added to this process's own. */
export function spawnGateway(
  env: Record<string, string>,
  nodeOptions: string[] = [],
): ChildProcess & { output: () => string } {
  const child = spawn(process.execPath, [...nodeOptions, START], {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const chunks: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => chunks.push(chunk))
  return Object.assign(child, { output: () => Buffer.concat(chunks).toString() })
}

/** Starts it and resolves when it says where it listens; throws what it printed when it ends before. */
export async function startProcess(
  env: Record<string, string> & { ACOPAY_HOME: string },
  nodeOptions: string[] = [],
): Promise<StartedProcess> {
  const child = spawnGateway(env, nodeOptions)
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
