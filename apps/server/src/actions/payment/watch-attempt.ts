/** Queries a closed attempt while a payment for it may still arrive (spec/order-lifecycle.md, Closing 4). */
import type { JobOutcome } from '@acopay/core'
import { findAttempt } from '@acopay/store'
import { callUpstream, channelOrThrow, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { receivePayment } from './receive-payment.ts'

/** An upstream that does not answer is asked so much longer, hourly; after that only its bills tell of a payment. */
const UNANSWERED_MS = 30 * 24 * 3_600_000

export async function watchAttempt(world: World, key: { mchNo: string; attemptNo: string }): Promise<JobOutcome> {
  const { mchNo, attemptNo } = key
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  if (attempt === null) throw new Error(`no attempt ${attemptNo}`)
  const channel = await channelOrThrow(world, attempt)

  const askedMs = world.sureNow().getTime()
  const answer = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.query({ attemptNo }, signal),
  )
  if (answer.kind === 'paid' || answer.kind === 'returned') {
    const { transactionNo } = attempt
    const isReturned = answer.kind === 'returned'
    await receivePayment(world, { mchNo, transactionNo, attemptNo, payment: answer.payment, isReturned })
    return 'done'
  }
  const overMs = attempt.upstreamExpire.getTime() + channel.latePaymentWindowMs
  const isOver = askedMs >= overMs
  if (answer.kind === 'unknown') {
    if (!isOver) return 'retry_soon'
    return askedMs >= overMs + UNANSWERED_MS ? 'done' : 'retry'
  }
  // The payer has scanned a code that was unscanned when the attempt was closed: close it now, before the payer pays.
  if (answer.kind === 'open' && !isOver) {
    const closed = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
      channel.close({ attemptNo }, signal),
    )
    world.log.warn({ mchNo, attemptNo, closed: closed.kind }, 'a closed attempt was open again')
    return 'retry_soon'
  }
  return isOver ? 'done' : 'retry'
}
