/** One gateway process: the real world object, in which the simulator replaces clock, database, channels and chance. */
import { isChannelName } from '@acopay/channels'
import { pino } from 'pino'
import { type Notifier, notifier } from '../../apps/server/src/jobs/notifier.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { buildWorld } from '../../apps/server/src/start/build-world.ts'
import { sureClock } from '../../apps/server/src/start/clock.ts'
import { readConfig } from '../../apps/server/src/start/config.ts'
import type { World } from '../../apps/server/src/world.ts'
import type { merchantOf } from './merchant.ts'
import type { Mishaps } from './mishaps.ts'
import { random } from './random.ts'
import type { Scenario } from './scenario.ts'
import type { Process, Scheduler } from './scheduler.ts'
import type { turnstile } from './turnstile.ts'
import type { upstream } from './upstream.ts'

export const START_MS = Date.parse('2026-03-01T04:00:00Z')
export const MCH = 'SIM1'
export const APP = 'APP1'
export const purposeKey = (): Buffer => Buffer.alloc(32)
const CONFIG = readConfig({}, '/nowhere')

/** Reports what the gateway logs as failed; it goes on afterwards, so that nothing else would show it. */
const logOf = (onFailure: (what: string) => void): World['log'] =>
  pino(
    { level: 'error' },
    {
      write(line: string) {
        const { msg, kind, err } = JSON.parse(line) as { msg: string; kind?: string; err?: { message: string } }
        if (err !== undefined) onFailure(`${msg} ${kind ?? ''}: ${err.message}`)
      },
    },
  )

export type Gateway = { process: Process; world: World; telling: Notifier; isAtRound: boolean }

type Parts = {
  database: ReturnType<typeof turnstile>
  upstreams: ReturnType<typeof upstream>
  merchant: ReturnType<typeof merchantOf>
  waiting: () => void
  mishaps: Mishaps
}

export function gatewayOf(name: string, plan: Scenario, schedule: Scheduler, parts: Parts): Gateway {
  const process: Process = { name, isAlive: true, whenDead: [] }
  const dice = random(plan.seed, name)
  const sleep = (ms: number, signal?: AbortSignal): Promise<void> => {
    parts.waiting()
    return new Promise((resolve) => {
      const cancel = schedule.at(schedule.nowMs() + ms, process, () => resolve())
      signal?.addEventListener('abort', () => {
        cancel()
        resolve()
      })
    })
  }
  const digits = (length: number): string => Array.from({ length }, () => dice.between(0, 9)).join('')
  const world: World = {
    ...buildWorld({
      config: CONFIG,
      pool: parts.database.poolOf(process),
      log: logOf((what) => process.isAlive && parts.mishaps.failed(what)),
      master: masterKeysOf(Buffer.alloc(32)),
      purposeKey,
      publicUrl: () => '',
      ownUrl: () => '',
      sandboxUrl: () => '',
      sleep,
      clock: sureClock(() => new Date(schedule.nowMs())),
      signingKey: () => {
        throw new Error('nothing is signed here')
      },
      outgoing: {
        post: parts.merchant.post(process),
        addressOf: async () => null,
        refusal: () => null,
        close: async () => {},
      },
    }),
    channelOf: async (_mchNo, channel) => {
      if (parts.mishaps.isAccountUnreadable()) throw new Error('the account cannot be read')
      return isChannelName(channel) ? parts.upstreams.channelOf(process, channel) : null
    },
    signNotification: async (_mchNo, news) => JSON.stringify(news),
    newDigits: digits,
    newNonce: () => digits(32),
    random: dice.next,
  }
  return { process, world, telling: notifier(world), isAtRound: false }
}
