/** A payer chooses a way to pay: the code that is open already is shown again, else an attempt is started. */
import type { ChannelName } from '@acopay/channels'
import { type Attempt, attemptsOf, type OrderKey } from '@acopay/store'
import type { World } from '../world.ts'
import { type Payer, type StartAnswer, startPayment } from './start-payment.ts'

/** Ways to pay of one order, all in all; a payer needs a handful. */
const ATTEMPTS_MAX = 20

export type WayAnswer = StartAnswer | { kind: 'too_many' }

export async function openWayToPay(
  world: World,
  { mchNo, transactionNo }: OrderKey,
  asked: { channel: ChannelName; method: string; payer: Payer },
): Promise<WayAnswer> {
  const attempts = await attemptsOf(world.pool, mchNo, transactionNo)
  const nowMs = world.now().getTime()
  const usable = attempts.findLast(
    (attempt) => attempt.channel === asked.channel && attempt.method === asked.method && isUsable(attempt, nowMs),
  )
  // Two tabs, the back button, an impatient finger: a second code would be a second thing to pay.
  if (usable !== undefined) return { kind: 'started', attempt: usable }
  if (attempts.length >= ATTEMPTS_MAX) return { kind: 'too_many' }
  return startPayment(world, { mchNo, ref: { transactionNo }, ...asked })
}

/** One that is being opened is waited for; one that is open can be paid if what to show was not lost. */
const isUsable = ({ state, payUrl, upstreamExpire, createLandsUntil }: Attempt, nowMs: number): boolean =>
  (state === 'OPENING' && nowMs < createLandsUntil.getTime()) ||
  (state === 'OPEN' && payUrl !== null && nowMs < upstreamExpire.getTime())
