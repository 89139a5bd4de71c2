/** A payer chooses a channel and a method: shows an attempt that is open already, or starts a new one. */
import type { Channel, ChannelName, PayMethod } from '@acopay/channels'
import { type Attempt, attemptsOf, type OrderKey } from '@acopay/store'
import type { World } from '../../world.ts'
import { openIdFor, type Payer, type StartAnswer, startPayment } from './start-payment.ts'

/** Attempts per order. Payers need a handful; the limit stops abuse. */
const ATTEMPTS_MAX = 20

export type MethodAnswer =
  | Exclude<StartAnswer, { kind: 'started' }>
  /** From `goodUntil` on the code or link no longer works, and a new attempt is needed. */
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
  const isSameMethod = (attempt: Attempt): boolean =>
    attempt.channel === asked.channel && attempt.method === asked.method && attempt.openId === openId
  const usable = attempts.findLast((attempt) => isSameMethod(attempt) && isUsable(channel, attempt, nowMs))
  // Second tabs, the back button and double clicks get the same code, because the payer could pay a second one as well.
  if (usable !== undefined) return { kind: 'started', attempt: usable, goodUntil: goodUntil(channel, usable) }
  if (attempts.length >= ATTEMPTS_MAX) return { kind: 'too_many' }
  const started = await startPayment(world, { mchNo, ref: { transactionNo }, ...asked })
  return started.kind === 'started' ? { ...started, goodUntil: goodUntil(channel, started.attempt) } : started
}

/** The payer waits for an OPENING attempt. An OPEN one is usable while its code is known and still works. */
const isUsable = (channel: Channel, attempt: Attempt, nowMs: number): boolean =>
  (attempt.state === 'OPENING' && nowMs < attempt.createInFlightUntil.getTime()) ||
  (attempt.state === 'OPEN' && attempt.payUrl !== null && nowMs < goodUntil(channel, attempt).getTime())

function goodUntil({ payUrlTtlMs }: Channel, { method, upstreamExpire, createdAt }: Attempt): Date {
  const livesMs = payUrlTtlMs[method as PayMethod] ?? Number.POSITIVE_INFINITY
  return new Date(Math.min(upstreamExpire.getTime(), createdAt.getTime() + livesMs))
}
