/** What one seed tries: which faults and deeds take part (swarm), and a plan of deeds with their moments. */
import type { ChannelName } from '@acopay/channels'
import { type Random, random } from './random.ts'
import { FAULTS, type Fault } from './upstream.ts'

const DEEDS = ['start', 'scan', 'pay', 'close', 'refund', 'query', 'crash', 'jump'] as const
export type DeedKind = (typeof DEEDS)[number]

/** `order` and `attempt` are numbers within the scenario; a deed that has nothing to be done to does nothing. */
export type Deed = { atMs: number; kind: DeedKind; order: number; attempt: number; channel: ChannelName; fen: bigint }

const OWN_FAULTS = ['merchant down', 'merchant slow', 'database slow'] as const
export type OwnFault = (typeof OWN_FAULTS)[number]

export type Scenario = {
  seed: number
  orders: { expiresInMs: number; hasNotifyUrl: boolean }[]
  deeds: Deed[]
  faults: Fault[]
  ownFaults: OwnFault[]
  /** Of a call going wrong. */
  rate: number
}

export const AMOUNT_FEN = 1250n

const PHASE_MS = 90_000

const OF_REFUNDS: readonly Fault[] = ['request late', 'refund under way', 'refund refused']

/** Each part has chance of its own, so that leaving one out changes no other. */
export function scenario(seed: number): Scenario {
  const swarm = random(seed, 'swarm')
  const some = <Item>(items: readonly Item[]): Item[] => items.filter(() => swarm.isOneIn(0.5))
  const kinds = new Set<DeedKind>([...some(DEEDS), 'start', 'pay'])
  // A refund needs an order that is paid and stays so; in some seeds it is mostly refunds that go wrong.
  const isOfRefunds = swarm.isOneIn(0.2)
  if (isOfRefunds) kinds.add('refund').delete('crash')
  if (isOfRefunds || (kinds.has('refund') && swarm.isOneIn(0.5))) kinds.delete('close')
  const isCalm = swarm.isOneIn(0.15)
  const orders = Array.from({ length: swarm.isOneIn(0.25) ? 2 : 1 }, () => ({
    expiresInMs: swarm.isOneIn(0.4) ? swarm.between(60_000, 100_000) : swarm.between(120_000, 900_000),
    hasNotifyUrl: swarm.isOneIn(0.8),
  }))
  return {
    seed,
    orders,
    deeds: orders
      .flatMap((_, order) => deedsOf(random(seed, `deeds of ${order}`), order, kinds, isOfRefunds))
      .sort(byTime),
    faults: isCalm
      ? []
      : FAULTS.filter((fault) => {
          if (fault === 'refund closed') return random(seed, fault).isOneIn(isOfRefunds ? 0.5 : 0.25)
          if (OF_REFUNDS.includes(fault)) return swarm.isOneIn(0.8)
          return swarm.isOneIn(isOfRefunds ? 0.35 : 0.5)
        }),
    ownFaults: isCalm || isOfRefunds ? [] : some(OWN_FAULTS),
    rate: isOfRefunds ? 0.5 : swarm.pick([0.05, 0.2, 0.5]),
  }
}

const byTime = (a: Deed, b: Deed): number => a.atMs - b.atMs

/** Deeds come in bursts: what happens at the same time is where the races are. */
function deedsOf(dice: Random, order: number, kinds: Set<DeedKind>, isOfRefunds: boolean): Deed[] {
  const bursts = Array.from({ length: dice.between(1, 3) }, () => dice.between(0, PHASE_MS))
  const moment = (): number => dice.pick(bursts) + dice.between(0, dice.isOneIn(0.7) ? 400 : 8000)
  const firstMs = Math.min(...bursts)
  /** Some payers come back after minutes. */
  const lateMs = (kind: DeedKind): number => {
    if (kind === 'refund') return dice.between(1000, 40_000)
    const isLate = (kind === 'pay' || kind === 'scan') && dice.isOneIn(0.2)
    return isLate ? dice.between(60_000, 800_000) : 0
  }
  const deed = (kind: DeedKind, atMs: number, attempt = dice.between(0, 2)): Deed => ({
    ...{ atMs, kind, order, attempt, channel: dice.pick(['wechat', 'alipay'] as const) },
    fen: dice.pick([1n, 50n, 625n, AMOUNT_FEN]),
  })
  const counts: Record<DeedKind, [number, number]> = {
    ...{ start: [1, 3], scan: [0, 2], pay: [0, 3], close: [0, 3], refund: [0, 5], query: [0, 1], crash: [0, 3] },
    ...{ jump: [0, 1], ...(isOfRefunds ? { pay: [2, 4], refund: [3, 6] } : {}) },
  }
  const deeds: Deed[] = []
  for (const kind of DEEDS) {
    if (!kinds.has(kind)) continue
    const [least, most] = counts[kind]
    const count = dice.between(least, most)
    // Attempts are started early on, so that there is something to pay.
    for (let nth = 0; nth < count; nth += 1) {
      if (kind === 'start') deeds.push(deed(kind, firstMs - dice.between(0, 3000), nth))
      // What was paid is refunded a while later, with luck.
      else deeds.push(deed(kind, moment() + lateMs(kind)))
    }
  }
  return deeds
}
