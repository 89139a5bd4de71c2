/**
 * What was added to the scenarios later: faults inside a gateway process and slow or doubtful refunds, and payments that are
 * sent back from outside. Each has a random stream of its own, and schedules that broke something before are run without them.
 */
import { LATER_FAULTS } from './network.ts'
import { random } from './random.ts'
import {
  byTime,
  firstScenario,
  hasStalls,
  type Operation,
  OWN_LATER_FAULTS,
  PHASE_MS,
  type Scenario,
} from './scenario.ts'

/** The scenario of a seed. */
export function scenario(seed: number): Scenario {
  const plan = firstScenario(seed)
  if (hasStalls(seed) || !random(seed, 'later').isOneIn(0.6)) return plan
  const isIn = (what: string, probability: number): boolean => random(seed, what).isOneIn(probability)
  const more = plan.orders.flatMap((_order, index) => {
    if (isIn(`returns of ${index}`, 0.3)) return returnedOrder(seed, index)
    return isIn(`scanned and closed ${index}`, 0.3) ? scannedOrder(seed, index) : []
  })
  return {
    ...plan,
    operations: [...plan.operations, ...more].sort(byTime),
    faults: [...plan.faults, ...LATER_FAULTS.filter((fault) => isIn(fault, 0.35))],
    ownFaults: [...plan.ownFaults, ...OWN_LATER_FAULTS.filter((fault) => isIn(fault, 0.35))],
  }
}

/** An attempt that any payer can pay, and a close: the moment at which a wrong answer of the upstream is worst. */
function scannedOrder(seed: number, order: number): Operation[] {
  const dice = random(seed, `scan of ${order}`)
  const startMs = dice.between(0, PHASE_MS / 2)
  const rest = { order, attempt: 0, channel: dice.pick(['wechat', 'alipay', 'alipay'] as const), fen: 1n }
  return [
    { ...rest, kind: 'start', atMs: startMs },
    { ...rest, kind: 'scan', atMs: startMs + dice.between(700, 2_000) },
    { ...rest, kind: 'close', atMs: startMs + dice.between(2_000, 6_000) },
  ]
}

/** The first attempt is scanned and paid early. Later the payment is sent back from outside. */
function returnedOrder(seed: number, order: number): Operation[] {
  const dice = random(seed, `return of ${order}`)
  const operation = (kind: Operation['kind'], atMs: number): Operation => ({
    atMs,
    kind,
    order,
    attempt: 0,
    channel: dice.pick(['wechat', 'alipay'] as const),
    fen: dice.pick([1n, 50n]),
  })
  const paidMs = dice.between(0, PHASE_MS / 2)
  const more = dice.isOneIn(0.3) ? [operation('refund', paidMs + dice.between(1_000, 40_000))] : []
  return [
    operation('start', paidMs - dice.between(500, 3_000)),
    operation('scan', paidMs - 10),
    operation('pay', paidMs),
    ...more,
    ...[dice.between(1_000, 30_000), dice.between(30_000, 120_000)].map((ms) => operation('return', paidMs + ms)),
  ]
}
