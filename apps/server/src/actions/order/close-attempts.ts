/**
 * Phases 2 and 3 of a close (spec/order-lifecycle.md, Closing): close every attempt upstream, then settle. Called by the
 * holder of the order's `shut_attempts` job; every step may be repeated after a crash.
 */

import type { Channel, Traced, UpstreamPayment } from '@acopay/channels'
import { provesClosed } from '@acopay/core'
import { type Attempt, attemptsOf, noteAnswers, type Order, type OrderKey } from '@acopay/store'
import { answerText, callUpstream, channelOrThrow, type Deadline, remainingMs } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { receivePayment } from '../payment/receive-payment.ts'
import { changeOrder } from './change-order.ts'
import type { UpstreamSaid } from './events.ts'

type Found =
  | { kind: 'shut' }
  | { kind: 'paid'; payment: UpstreamPayment }
  /** Paid, and sent back since by the upstream or the merchant's own back office; a close of ours never does. */
  | { kind: 'returned'; payment: UpstreamPayment }
  | { kind: 'unknown' }

/** The order as it is afterwards; `isDone` when no attempt is left that could still be paid. */
export type ClosedAttempts = { order: Order; isDone: boolean }

/** Does what can be done before the deadline. */
export async function closeAttempts(world: World, key: OrderKey, deadline: Deadline): Promise<ClosedAttempts> {
  const attempts = await attemptsOf(world.pool, key.mchNo, key.transactionNo)
  const open = attempts.filter(({ state }) => state === 'OPENING' || state === 'OPEN')
  const found = await Promise.all(
    open.map(async (attempt) => {
      const said: UpstreamSaid[] = []
      return { attempt, says: await closeAttempt(world, attempt, deadline, said), said }
    }),
  )
  return settle(world, key, found)
}

/** Query; if unpaid, close; query again. Only the last answer proves anything. */
async function closeAttempt(world: World, attempt: Attempt, deadline: Deadline, said: UpstreamSaid[]): Promise<Found> {
  const { attemptNo } = attempt
  const channel = await channelOrThrow(world, attempt)
  const heard = <Answer extends Traced & { kind: string }>(verb: UpstreamSaid['verb'], answer: Answer): Answer => {
    const says = answer.kind === 'unknown' && 'why' in answer ? `unknown: ${answer.why}` : answer.kind
    const at = world.now().toISOString()
    said.push({ at, attemptNo, channel: attempt.channel, verb, says, requestId: answer.requestId ?? null })
    return answer
  }
  const query = async () =>
    heard('query', await callUpstream(world, deadline, (signal) => channel.query({ attemptNo }, signal)))
  const landsUntilMs = absentProvesClosedFromMs(channel, attempt)

  const before = await query()
  if (before.kind === 'paid' || before.kind === 'returned') return before
  // Absent is no reason not to close: an unscanned code can be scanned and paid at any moment.
  if (before.kind === 'closed') return { kind: 'shut' }
  for (;;) {
    const closed = heard('close', await callUpstream(world, deadline, (signal) => channel.close({ attemptNo }, signal)))
    // An answer tells what was so when the question was sent: a process that is halted before it reads it reads of the past.
    const askedAgainMs = world.now().getTime()
    const after = await query()
    if (after.kind === 'paid' || after.kind === 'returned') return after
    if (provesClosed(after.kind, askedAgainMs, landsUntilMs)) return { kind: 'shut' }
    // The payer has scanned the code since the close found no trade: now there is one, and it can be closed.
    const isScannedSince = closed.kind === 'absent' && after.kind === 'open'
    if (!isScannedSince || remainingMs(world, deadline) === 0) return { kind: 'unknown' }
  }
}

/**
 * From when on "absent" proves that an attempt cannot be paid. While its create may still land, it proves nothing. After
 * an answered create, Alipay says "absent" until the code is scanned; for another channel it contradicts the create's
 * answer, so the attempt is asked about until its code has expired.
 */
function absentProvesClosedFromMs(
  { tradeStartsAtScan }: Channel,
  { state, createInFlightUntil, upstreamExpire }: Attempt,
): number {
  if (state === 'OPENING') return createInFlightUntil.getTime()
  return tradeStartsAtScan ? 0 : Math.max(upstreamExpire.getTime(), createInFlightUntil.getTime())
}

/** Writes down what the upstreams said. The other attempts of a paid order are closed as well. */
async function settle(
  world: World,
  { mchNo, transactionNo }: OrderKey,
  found: { attempt: Attempt; says: Found; said: UpstreamSaid[] }[],
): Promise<ClosedAttempts> {
  const key = { mchNo, ref: { transactionNo } }
  for (const { attempt, says } of found) {
    if (says.kind !== 'paid' && says.kind !== 'returned') continue
    const { attemptNo } = attempt
    const isReturned = says.kind === 'returned'
    await receivePayment(world, { mchNo, transactionNo, attemptNo, payment: says.payment, isReturned })
  }
  const attemptNos = found.filter(({ says }) => says.kind === 'shut').map(({ attempt }) => attempt.attemptNo)
  const said = found.flatMap((one) => one.said)
  // What was proven goes into the timeline; the rest tells the operator why the order is still being closed.
  const answers = said.map(({ attemptNo: no, verb, says: kind, requestId }) => ({
    ...{ no, text: answerText(verb, { kind, ...(requestId === null ? {} : { requestId }) }) },
  }))
  if (answers.length > 0) await noteAnswers(world.pool, { table: 'attempt', mchNo, answers, now: world.now() })
  const settled = await changeOrder(world, key, { event: 'all_shut', attemptNos, said })
  if (settled.kind !== 'answered') throw new Error(`order ${transactionNo} vanished while it was being closed`)
  const { order } = settled
  return { order, isDone: order.state !== 'CLOSING' && found.every(({ says }) => says.kind !== 'unknown') }
}
