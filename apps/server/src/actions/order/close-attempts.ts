/**
 * Phases 2 and 3 of a close (spec/order-lifecycle.md, Closing): close every attempt upstream, then write the results. The
 * caller holds the order's `shut_attempts` job. Every step may run again after a crash.
 */

import type { Channel, Traced, UpstreamPayment } from '@acopay/channels'
import { isOutlived, provesClosed, type UpstreamState } from '@acopay/core'
import { type Attempt, type AttemptToClose, attemptsToClose, type Order, type OrderKey } from '@acopay/store'
import { callUpstream, channelOrThrow, type Deadline, remainingMs } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { receivePayment } from '../payment/receive-payment.ts'
import { changeOrder } from './change-order.ts'
import type { UpstreamSaid } from './events.ts'

type Found =
  | { kind: 'shut' }
  | { kind: 'paid'; payment: UpstreamPayment }
  /**
   * Paid and returned outside, by the upstream or by the merchant in the upstream's own pages. Our close never returns
   * money.
   */
  | { kind: 'returned'; payment: UpstreamPayment }
  | { kind: 'unknown' }

/** `order` is the order afterwards; `isDone`: no attempt of it can be paid any more. */
export type ClosedAttempts = { order: Order; isDone: boolean }

/**
 * Stops at the deadline; attempts that are not proven closed by then stay open for the job. `known`: the order's attempts, where the
 * caller has read them since the order is CLOSING.
 */
export async function closeAttempts(
  world: World,
  key: OrderKey,
  deadline: Deadline,
  known: AttemptToClose[] | null = null,
): Promise<ClosedAttempts> {
  const attempts = known ?? (await attemptsToClose(world.pool, key.mchNo, key.transactionNo))
  const open = attempts.filter(({ state }) => state === 'OPENING' || state === 'OPEN')
  const found = await Promise.all(
    open.map(async (attempt) => {
      const said: UpstreamSaid[] = []
      return { attempt, says: await closeAttempt(world, attempt, deadline, said), said }
    }),
  )
  return settle(world, key, found)
}

/** Queries; closes if unpaid; queries again. Only the last query proves that the attempt is closed. */
async function closeAttempt(
  world: World,
  attempt: AttemptToClose,
  deadline: Deadline,
  said: UpstreamSaid[],
): Promise<Found> {
  const { attemptNo } = attempt
  const channel = await channelOrThrow(world, attempt)
  const recorded = <Answer extends Traced & { kind: string }>(verb: UpstreamSaid['verb'], answer: Answer): Answer => {
    const says = answer.kind === 'unknown' && 'why' in answer ? `unknown: ${answer.why}` : answer.kind
    const at = world.now().toISOString()
    said.push({ at, attemptNo, channel: attempt.channel, verb, says, requestId: answer.requestId ?? null })
    return answer
  }
  const query = async () =>
    recorded('query', await callUpstream(world, deadline, (signal) => channel.query({ attemptNo }, signal)))

  const before = await query()
  if (before.kind === 'paid' || before.kind === 'returned') return before
  // Close also where the upstream knows no trade: the payer can scan and pay an unscanned code at any moment.
  if (before.kind === 'closed') return { kind: 'shut' }
  for (;;) {
    const closed = recorded(
      'close',
      await callUpstream(world, deadline, (signal) => channel.close({ attemptNo }, signal)),
    )
    // An answer is about the moment when the query was sent. If the process stalls before it reads the answer, it is old.
    const askedAgainMs = world.sureNow().getTime()
    const after = await query()
    if (after.kind === 'paid' || after.kind === 'returned') return after
    if (isOver(channel, attempt, after.kind, askedAgainMs)) return { kind: 'shut' }
    // The close found no trade and the payer has scanned the code since: now there is a trade, and it can be closed.
    const isScannedSince = closed.kind === 'absent' && after.kind === 'open'
    if (!isScannedSince || remainingMs(world, deadline) === 0) return { kind: 'unknown' }
  }
}

/**
 * Whether this answer to a query ends the attempt: it proves that no payer can pay it any more, or the upstream never confirmed
 * the attempt and the time in which a payment can arrive has passed.
 */
function isOver(channel: Channel, attempt: Attempt, says: UpstreamState, askedMs: number): boolean {
  if (provesClosed(says, askedMs, absentProvesClosedFromMs(channel, attempt))) return true
  const overMs = attempt.upstreamExpire.getTime() + channel.latePaymentWindowMs
  return says === 'unknown' && isOutlived(attempt.state, askedMs, overMs)
}

/**
 * The moment from which "absent" proves that an attempt cannot be paid. While the upstream may still receive the create, it
 * proves nothing. After an answered create, Alipay reports "absent" until the payer scans the code. Any other channel that
 * reports it contradicts its own answer to the create, so the attempt is queried until its code has expired.
 */
function absentProvesClosedFromMs(
  { tradeStartsAtScan }: Channel,
  { state, createInFlightUntil, upstreamExpire }: Attempt,
): number {
  if (state === 'OPENING') return createInFlightUntil.getTime()
  return tradeStartsAtScan ? 0 : Math.max(upstreamExpire.getTime(), createInFlightUntil.getTime())
}

/** Writes the upstreams' answers into the books. Where one attempt is paid, the others are closed all the same. */
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
  const settled = await changeOrder(world, key, { event: 'all_shut', attemptNos, said })
  if (settled.kind !== 'answered') throw new Error(`order ${transactionNo} was not found while it was being closed`)
  const { order } = settled
  return { order, isDone: order.state !== 'CLOSING' && found.every(({ says }) => says.kind !== 'unknown') }
}
