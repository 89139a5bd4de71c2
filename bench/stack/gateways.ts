/** The gateway's processes, as production starts them: one bundle, one environment, one database, each with a port of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { SETTINGS } from '../../apps/server/src/start/settings.ts'
import { familyMicros, residentBytesOf } from '../machine.ts'

export type Gateways = {
  urls: string[]
  cpuUs: () => number
  /** Of each process that was started, and of each of its children. */
  bytes: () => number[]
  /** The slowest process's event-loop delay since the last call: 99 of 100 looks were quicker. Milliseconds. */
  delayMs: () => Promise<number>
  stop: () => Promise<void>
}

export type GatewayStart = {
  /** The program of Node, and the file that it runs. */
  node: string
  program: string
  env: Record<string, string>
  metricsToken: string
}

const PROCESSES = 'ACOPAY_PROCESSES'

/**
 * So many processes. Where the gateway starts its own workers on one port it is told how many; else each is started with a port of its
 * own, and callers spread over the addresses.
 */
export async function startGateways(count: number, start: GatewayStart): Promise<Gateways> {
  const asOne = PROCESSES in SETTINGS
  const env = asOne ? { ...start.env, [PROCESSES]: String(count) } : start.env
  const started: Started[] = []
  for (let one = 0; one < (asOne ? 1 : count); one += 1) started.push(await startOne({ ...start, env }))
  const sum = (of: (pid: number) => number): number => started.reduce((total, { pid }) => total + of(pid), 0)
  return {
    urls: started.map(({ url }) => url),
    cpuUs: () => sum(familyMicros),
    bytes: () => started.flatMap(({ pid }) => residentBytesOf(pid)),
    delayMs: async () =>
      Math.max(...(await Promise.all(started.map(({ url }) => delayOf(`${url}/metrics`, start.metricsToken))))),
    stop: async () => void (await Promise.all(started.map(({ end }) => end()))),
  }
}

type Started = { url: string; pid: number; end: () => Promise<unknown> }

async function startOne({ node, program, env }: GatewayStart): Promise<Started> {
  const child = spawn(node, [program], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = once(child, 'exit')
  const url = await addressOf(child, ended)
  const end = (): Promise<unknown> => {
    child.kill('SIGTERM')
    return ended
  }
  // A measurement that fails leaves no gateway behind.
  process.once('exit', () => child.kill('SIGKILL'))
  return { url, pid: child.pid as number, end }
}

/** Where it says that it listens; throws what it printed when it ends before. */
function addressOf(child: ChildProcess, ended: Promise<unknown>): Promise<string> {
  let output = ''
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      const listening = /ACO Pay gateway +(http:\S+)[\s\S]*\n\n/.exec(output)?.[1]
      if (listening !== undefined) resolve(listening)
    })
    void ended.then(() => reject(new Error(output)))
  })
}

async function delayOf(url: string, token: string): Promise<number> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } })
  return delayIn(await response.text())
}

/** Of the text of /metrics; the largest, where several workers tell of themselves. Milliseconds. */
export function delayIn(text: string): number {
  const told = [...text.matchAll(/^nodejs_eventloop_lag_p99_seconds(?:\{[^}]*\})? (\S+)$/gm)]
  return 1000 * Math.max(0, ...told.map(([, seconds]) => Number(seconds)))
}
