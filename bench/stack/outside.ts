/** Starts what is outside the gateway: see outside-process.ts. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { newSettings } from '../../apps/server/src/sandbox/upstreams.ts'
import { FROM_SOURCE } from '../../test/support/from-source.ts'
import { cpuMicros } from '../machine.ts'

export type ToOutside =
  | { kind: 'settings'; settings: ReturnType<typeof newSettings>; hosts: string[] }
  | { kind: 'gateways'; urls: string[] }
  | { kind: 'arrived' }

export type FromOutside =
  | { kind: 'open'; upstream: string; payers: string; shopPort: number }
  | { kind: 'arrived'; count: number }

export type Outside = {
  settings: ReturnType<typeof newSettings>
  upstream: string
  /** `POST` with an attempt's number pays it. */
  payers: string
  /** The shops' addresses: several hosts, as merchants have. */
  shops: string[]
  shopPort: number
  /** Webhooks go to these from now on. */
  tellGateways: (urls: string[]) => void
  /** Notifications that shops have heard so far. */
  arrived: () => Promise<number>
  cpuUs: () => number
  stop: () => Promise<void>
}

const SHOPS = 16

export async function startOutside(): Promise<Outside> {
  const child = fork(path.join(import.meta.dirname, 'outside-process.ts'), [], { execArgv: FROM_SOURCE })
  process.once('exit', () => child.kill('SIGKILL'))
  const settings = newSettings()
  const hosts = Array.from({ length: SHOPS }, (_, index) => `127.0.0.${index + 2}`)
  const ask = asking(child)
  const opened = await ask({ kind: 'settings', settings, hosts }, 'open')
  return {
    ...{ settings, upstream: opened.upstream, payers: opened.payers, shopPort: opened.shopPort },
    shops: hosts.map((host) => `http://${host}:${opened.shopPort}/told`),
    tellGateways: (urls) => void child.send({ kind: 'gateways', urls } satisfies ToOutside),
    arrived: async () => (await ask({ kind: 'arrived' }, 'arrived')).count,
    cpuUs: () => cpuMicros(child.pid as number),
    async stop() {
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

/** Sends a message and resolves with the next answer of this kind; one question at a time. */
const asking =
  (child: ChildProcess) =>
  <Kind extends FromOutside['kind']>(message: ToOutside, kind: Kind): Promise<Extract<FromOutside, { kind: Kind }>> =>
    new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the process outside the gateway has ended'))
      const heard = (answer: FromOutside): void => {
        if (answer.kind !== kind) return
        child.off('message', heard)
        child.off('exit', ended)
        resolve(answer as Extract<FromOutside, { kind: Kind }>)
      }
      child.on('message', heard)
      child.once('exit', ended)
      child.send(message)
    })
