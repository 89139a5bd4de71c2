/** What one seed tries: which faults and deeds take part (swarm), and a plan of deeds with their moments. */
import type { ChannelName } from '@acopay/channels'
import { FAULTS, type Fault } from './network.ts'
import { type Random, random } from './random.ts'

/** `return`: the upstream or the merchant's back office sends money back. */
export const DEEDS = ['start', 'scan', 'pay', 'close', 'refund', 'query', 'return', 'crash', 'jump'] as const
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

/** What the payer reads of a refund that the merchant asked for: it tells it from those that the gateway makes itself. */
export const REFUND_REASON = 'asked for by the merchant'

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
  // A process that is halted for minutes between two steps, while a create is on its way, would hardly ever come up.
  const isOfStalls = random(seed, 'stalls').isOneIn(0.05)
  const orders = Array.from({ length: swarm.isOneIn(0.25) ? 2 : 1 }, () => ({
    expiresInMs: swarm.isOneIn(0.4) ? swarm.between(60_000, 100_000) : swarm.between(120_000, 900_000),
    hasNotifyUrl: swarm.isOneIn(0.8),
  }))
  const faults = isOfStalls ? (['create lands late'] as const) : drawnFaults({ seed, swarm, isCalm, isOfRefunds })
  return {
    seed,
    orders,
    deeds: orders
      .flatMap((_, order) =>
        isOfStalls
          ? stall(random(seed, `stall of ${order}`), order)
          : deedsOf(random(seed, `deeds of ${order}`), order, kinds, isOfRefunds),
      )
      .sort(byTime),
    faults: [...faults],
    ownFaults: isCalm || isOfRefunds || isOfStalls ? [] : some(OWN_FAULTS),
    rate: isOfRefunds || isOfStalls ? 0.5 : swarm.pick([0.05, 0.2, 0.5]),
  }
}

type Weather = { seed: number; swarm: Random; isCalm: boolean; isOfRefunds: boolean }

function drawnFaults({ seed, swarm, isCalm, isOfRefunds }: Weather): Fault[] {
  if (isCalm) return []
  return FAULTS.filter((fault) => {
    if (fault === 'refund closed') return random(seed, fault).isOneIn(isOfRefunds ? 0.5 : 0.25)
    if (fault === 'paid twice' || fault === 'returned at once') return random(seed, fault).isOneIn(0.2)
    if (OF_REFUNDS.includes(fault)) return swarm.isOneIn(0.8)
    return swarm.isOneIn(isOfRefunds ? 0.35 : 0.5)
  })
}

const byTime = (a: Deed, b: Deed): number => a.atMs - b.atMs

/** An attempt is started, the order is closed, and the clock jumps somewhere between the steps of the two. */
function stall(dice: Random, order: number): Deed[] {
  const rest = { order, attempt: 0, channel: 'wechat', fen: AMOUNT_FEN } as const
  const startMs = dice.between(0, PHASE_MS / 2)
  const jumpMs = startMs + dice.between(1, dice.isOneIn(0.5) ? 25 : 1500)
  return [
    { ...rest, kind: 'start', atMs: startMs },
    { ...rest, kind: 'jump', atMs: jumpMs },
    { ...rest, kind: 'close', atMs: startMs + dice.between(20, 600) },
  ]
}

/** Deeds come in bursts: what happens at the same time is where the races are. */
function deedsOf(dice: Random, order: number, kinds: Set<DeedKind>, isOfRefunds: boolean): Deed[] {
  const bursts = Array.from({ length: dice.between(1, 3) }, () => dice.between(0, PHASE_MS))
  const moment = (): number => dice.pick(bursts) + dice.between(0, dice.isOneIn(0.7) ? 400 : 8000)
  const firstMs = Math.min(...bursts)
  /** Some payers come back after minutes. */
  const lateMs = (kind: DeedKind): number => {
    if (kind === 'refund' || (kind === 'return' && dice.isOneIn(0.5))) return dice.between(1000, 40_000)
    const isLate = (kind === 'pay' || kind === 'scan') && dice.isOneIn(0.2)
    return isLate ? dice.between(60_000, 800_000) : 0
  }
  const deed = (kind: DeedKind, atMs: number, attempt = dice.between(0, 2)): Deed => ({
    atMs,
    kind,
    order,
    attempt,
    channel: dice.pick(['wechat', 'alipay'] as const),
    fen: dice.pick([1n, 50n, 625n, AMOUNT_FEN]),
  })
  const counts: Record<DeedKind, [number, number]> = {
    start: [1, 3],
    scan: [0, 2],
    pay: [0, 3],
    close: [0, 3],
    refund: [0, 5],
    query: [0, 3],
    crash: [0, 3],
    return: [0, 1],
    jump: [0, 1],
    ...(isOfRefunds ? { pay: [2, 4], refund: [3, 6] } : {}),
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
