/** An upstream tells of money. Checked before anything is believed; booked before it is told that we heard. */
import type { ChannelName, NotificationReply, RawNotification } from '@acopay/channels'
import { findAttempt, hastenJob, keepStrayPayment } from '@acopay/store'
import { ownRefundNo } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { takeMoney } from './receive-payment.ts'

export type Heard = { reply: NotificationReply; outcome: string; transactionNo?: string }

/** Null when the merchant has no account with this channel. */
export async function hearNotification(
  world: World,
  to: { mchNo: string; channel: ChannelName },
  raw: RawNotification,
): Promise<Heard | null> {
  const channel = await world.channelOf(to.mchNo, to.channel)
  if (channel === null) return null
  const told = await channel.readNotification(raw)
  if (told.kind === 'forged') return { reply: channel.replyToNotification(false), outcome: `FORGED: ${told.why}` }
  const reply = channel.replyToNotification(true)
  if (told.kind === 'other') return { reply, outcome: `OTHER: ${told.what}` }

  if (told.kind === 'refund') {
    for (const kind of ['send_refund', 'reverse_payment'] as const) {
      const subject = ownRefundNo(told.refundNo)
      await hastenJob(world.pool, { mchNo: to.mchNo, kind, subject }, world.now())
    }
    return { reply, outcome: 'REFUND' }
  }
  const { attemptNo, payment } = told
  const attempt = await findAttempt(world.pool, to.mchNo, attemptNo)
  if (attempt === null || attempt.channel !== to.channel) {
    const { paymentNo, amountFen, currency, paidAt } = payment
    const stray = { ...to, attemptNo, paymentNo, amountFen, currency, paidAt }
    const isNew = await keepStrayPayment(world.pool, stray, world.now())
    if (isNew) world.log.error({ ...to, attemptNo, paymentNo, alarm: true }, 'money for an attempt nobody knows')
    return { reply, outcome: 'STRAY' }
  }
  const { transactionNo } = attempt
  await takeMoney(world, { mchNo: to.mchNo, transactionNo, attemptNo, payment })
  return { reply, outcome: 'PAID', transactionNo }
}
