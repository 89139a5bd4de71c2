/** A payer chooses a way to pay: what is open already is shown again, else an attempt is started. */
import type { Channel, ChannelName, PayMethod } from '@acopay/channels'
import { type Attempt, attemptsOf, type OrderKey } from '@acopay/store'
import type { World } from '../../world.ts'
import { openIdFor, type Payer, type StartAnswer, startPayment } from './start-payment.ts'

/** Ways to pay of one order, all in all; a payer needs a handful. */
const ATTEMPTS_MAX = 20

export type MethodAnswer =
  | Exclude<StartAnswer, { kind: 'started' }>
  /** From `goodUntil` on what is shown leads nowhere, and the way has to be opened anew. */
  | { kind: 'started'; attempt: Attempt; goodUntil: Date }
  | { kind: 'too_many' }

export async function chooseMethod(
  world: World,
  { mchNo, transactionNo }: OrderKey,
  asked: { channel: ChannelName; method: string; payer: Payer },
): Promise<MethodAnswer> {
  const channel = await world.channelOf(mchNo, asked.channel)
  if (channel === null) return { kind: 'unavailable' }
  const attempts = await attemptsOf(world.pool, mchNo, transactionNo)
  const nowMs = world.now().getTime()
  const openId = openIdFor(asked)
  const isSameWay = (attempt: Attempt): boolean =>
    attempt.channel === asked.channel && attempt.method === asked.method && attempt.openId === openId
  const usable = attempts.findLast((attempt) => isSameWay(attempt) && isUsable(channel, attempt, nowMs))
  // Two tabs, the back button, an impatient finger: a second code would be a second thing to pay.
  if (usable !== undefined) return { kind: 'started', attempt: usable, goodUntil: goodUntil(channel, usable) }
  if (attempts.length >= ATTEMPTS_MAX) return { kind: 'too_many' }
  const started = await startPayment(world, { mchNo, ref: { transactionNo }, ...asked })
  return started.kind === 'started' ? { ...started, goodUntil: goodUntil(channel, started.attempt) } : started
}

/** One that is being opened is waited for; one that is open can be paid if what to show was not lost and still works. */
const isUsable = (channel: Channel, attempt: Attempt, nowMs: number): boolean =>
  (attempt.state === 'OPENING' && nowMs < attempt.createInFlightUntil.getTime()) ||
  (attempt.state === 'OPEN' && attempt.payUrl !== null && nowMs < goodUntil(channel, attempt).getTime())

function goodUntil({ payUrlTtlMs }: Channel, { method, upstreamExpire, createdAt }: Attempt): Date {
  const livesMs = payUrlTtlMs[method as PayMethod] ?? Number.POSITIVE_INFINITY
  return new Date(Math.min(upstreamExpire.getTime(), createdAt.getTime() + livesMs))
}
