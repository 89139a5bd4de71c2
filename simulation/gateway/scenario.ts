/**
 * What one seed tries: which faults and operations take part (swarm testing), and a plan of operations with their moments.
 * The names of the random streams ('swarm', 'deeds of 0' …) are part of what a seed means: with another name each seed would
 * be another scenario.
 */
import type { ChannelName } from '@acopay/channels'
import { FAULTS, type Fault, LATER_FAULTS } from './network.ts'
import { type Random, random } from './random.ts'

/** `return`: the upstream or the merchant's back office sends a payment back. */
export const OPERATIONS = ['start', 'scan', 'pay', 'close', 'refund', 'query', 'return', 'crash', 'jump'] as const
export type OperationKind = (typeof OPERATIONS)[number]

/** `order` and `attempt` are indexes within the scenario. An operation without its order or attempt does nothing. */
export type Operation = {
  atMs: number
  kind: OperationKind
  order: number
  attempt: number
  channel: ChannelName
  fen: bigint
}

const OWN_FAULTS = ['merchant down', 'merchant slow', 'database slow'] as const

/** Faults inside a gateway process, and of bills. They came later: see later-faults.ts. */
export const OWN_LATER_FAULTS = [
  'statement fails',
  'account unreadable',
  'dies at a call',
  'bill late',
  'bill forged',
] as const
export type OwnFault = (typeof OWN_FAULTS)[number] | (typeof OWN_LATER_FAULTS)[number]

export type Scenario = {
  seed: number
  orders: { expiresInMs: number; hasNotifyUrl: boolean }[]
  operations: Operation[]
  faults: Fault[]
  ownFaults: OwnFault[]
  /** The probability that a call goes wrong. */
  rate: number
}

export const AMOUNT_FEN = 1250n

/** The reason of a refund that the merchant asks for. It tells these refunds from the gateway's reversals. */
export const REFUND_REASON = 'asked for by the merchant'

export const PHASE_MS = 90_000

const OF_REFUNDS: readonly Fault[] = ['request late', 'refund under way', 'refund refused']

/**
 * The scenario of a seed without what was added later (later-faults.ts). Each part has a random stream of its own, so that a
 * change of one part leaves the others as they are.
 */
export function firstScenario(seed: number): Scenario {
  const swarm = random(seed, 'swarm')
  const some = <Item>(items: readonly Item[]): Item[] => items.filter(() => swarm.isOneIn(0.5))
  const kinds = new Set<OperationKind>([...some(OPERATIONS), 'start', 'pay'])
  // A refund needs an order that is paid and stays paid. Some seeds are mostly about refunds.
  const isOfRefunds = swarm.isOneIn(0.2)
  if (isOfRefunds) kinds.add('refund').delete('crash')
  if (isOfRefunds || (kinds.has('refund') && swarm.isOneIn(0.5))) kinds.delete('close')
  const isCalm = swarm.isOneIn(0.15)
  // Some seeds halt a process for minutes while a create call is on its way. By chance that would hardly ever come up.
  const isOfStalls = hasStalls(seed)
  const orders = Array.from({ length: swarm.isOneIn(0.25) ? 2 : 1 }, () => ({
    expiresInMs: swarm.isOneIn(0.4) ? swarm.between(60_000, 100_000) : swarm.between(120_000, 900_000),
    hasNotifyUrl: swarm.isOneIn(0.8),
  }))
  const faults = isOfStalls ? (['create lands late'] as const) : drawnFaults({ seed, swarm, isCalm, isOfRefunds })
  return {
    seed,
    orders,
    operations: orders
      .flatMap((_, order) =>
        isOfStalls
          ? stall(random(seed, `stall of ${order}`), order)
          : operationsOf(random(seed, `deeds of ${order}`), order, kinds, isOfRefunds),
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
    if (LATER_FAULTS.includes(fault)) return false
    if (fault === 'refund closed') return random(seed, fault).isOneIn(isOfRefunds ? 0.5 : 0.25)
    if (fault === 'paid twice' || fault === 'returned at once') return random(seed, fault).isOneIn(0.2)
    if (OF_REFUNDS.includes(fault)) return swarm.isOneIn(0.8)
    return swarm.isOneIn(isOfRefunds ? 0.35 : 0.5)
  })
}

export const byTime = (a: Operation, b: Operation): number => a.atMs - b.atMs

export const hasStalls = (seed: number): boolean => random(seed, 'stalls').isOneIn(0.05)

/** A payer starts a payment, the merchant closes the order, and the clock jumps between two steps of these. */
function stall(dice: Random, order: number): Operation[] {
  const rest = { order, attempt: 0, channel: 'wechat', fen: AMOUNT_FEN } as const
  const startMs = dice.between(0, PHASE_MS / 2)
  const soonMs = startMs + dice.between(1, dice.isOneIn(0.5) ? 25 : 1500)
  const closeMs = startMs + dice.between(20, 600)
  // The last answer of a close is read some hundred milliseconds after its begin.
  const jumpMs = dice.isOneIn(0.4) ? closeMs + dice.between(100, 1000) : soonMs
  return [
    { ...rest, kind: 'start', atMs: startMs },
    { ...rest, kind: 'jump', atMs: jumpMs },
    { ...rest, kind: 'close', atMs: closeMs },
  ]
}

/** Operations come in bursts, because races need operations at the same time. */
function operationsOf(dice: Random, order: number, kinds: Set<OperationKind>, isOfRefunds: boolean): Operation[] {
  const bursts = Array.from({ length: dice.between(1, 3) }, () => dice.between(0, PHASE_MS))
  const moment = (): number => dice.pick(bursts) + dice.between(0, dice.isOneIn(0.7) ? 400 : 8000)
  const firstMs = Math.min(...bursts)
  /** Some payers come back after minutes. */
  const lateMs = (kind: OperationKind): number => {
    if (kind === 'refund' || (kind === 'return' && dice.isOneIn(0.5))) return dice.between(1000, 40_000)
    const isLate = (kind === 'pay' || kind === 'scan') && dice.isOneIn(0.2)
    return isLate ? dice.between(60_000, 800_000) : 0
  }
  const operation = (kind: OperationKind, atMs: number, attempt = dice.between(0, 2)): Operation => ({
    atMs,
    kind,
    order,
    attempt,
    channel: dice.pick(['wechat', 'alipay'] as const),
    fen: dice.pick([1n, 50n, 625n, AMOUNT_FEN]),
  })
  const counts: Record<OperationKind, [number, number]> = {
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
  const operations: Operation[] = []
  for (const kind of OPERATIONS) {
    if (!kinds.has(kind)) continue
    const [least, most] = counts[kind]
    const count = dice.between(least, most)
    // Payments are started early, so that the payers have something to pay.
    for (let nth = 0; nth < count; nth += 1) {
      if (kind === 'start') operations.push(operation(kind, firstMs - dice.between(0, 3000), nth))
      // Refunds come later, when the order is probably paid.
      else operations.push(operation(kind, moment() + lateMs(kind)))
    }
  }
  return operations
}
