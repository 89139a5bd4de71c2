/**
 * Looks at an attempt that was shut, for as long as money for it may still be heard of (spec/order-lifecycle.md,
 * Closing 4); and once at one that was paid while it was being shut, because our own close may have sent that back.
 */
import type { ChannelName } from '@acopay/channels'
import { findAttempt, findPayment } from '@acopay/store'
import type { World } from '../world.ts'
import { asked, within } from './ask-channel.ts'
import { takeMoney } from './take-money.ts'

/** Whether there is nothing more to watch for; `unsure` when the upstream did not say. */
export async function watchAttempt(
  world: World,
  key: { mchNo: string; attemptNo: string },
): Promise<boolean | 'unsure'> {
  const { mchNo, attemptNo } = key
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  if (attempt === null) throw new Error(`no attempt ${attemptNo}`)
  const channel = await world.channelOf(mchNo, attempt.channel as ChannelName)
  if (channel === null) throw new Error(`no account with ${attempt.channel}`)

  const askedMs = world.now().getTime()
  const answer = await asked(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.query({ attemptNo }, signal),
  )
  if (answer.kind === 'paid' || answer.kind === 'returned') {
    const isReturned = answer.kind === 'returned'
    await takeMoney(world, {
      mchNo,
      transactionNo: attempt.transactionNo,
      attemptNo,
      payment: answer.payment,
      isReturned,
    })
    // While a refund is under way nobody can tell whether that, or our own close, sent the money back.
    const { paymentNo } = answer.payment
    const booked = isReturned ? await findPayment(world.pool, { mchNo, attemptNo, paymentNo }) : null
    return booked?.isInDoubt ? 'unsure' : true
  }
  if (answer.kind === 'unknown') return 'unsure'
  if (attempt.state === 'PAID') return true
  const isOver = askedMs >= attempt.upstreamExpire.getTime() + channel.watchMs
  // Somebody has opened what nobody had when it was shut: it is shut now, before it is paid and has to go back.
  if (answer.kind === 'open' && !isOver) {
    const closed = await asked(world, within(world, world.limits.channelCallMs), (signal) =>
      channel.close({ attemptNo }, signal),
    )
    world.log.warn({ mchNo, attemptNo, closed: closed.kind }, 'a shut attempt was open again')
    return 'unsure'
  }
  return isOver
}
