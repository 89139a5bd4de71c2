/** An upstream tells of money. Checked before anything is believed; booked before it is told that we heard. */
import type { ChannelName, RawWebhook, WebhookReply } from '@acopay/channels'
import { findAttempt, keepUnmatchedPayment, wakeJob } from '@acopay/store'
import { ownRefundNo } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { receivePayment } from './receive-payment.ts'

export type Received = { reply: WebhookReply; outcome: string; transactionNo?: string }

/** Null when the merchant has no account with this channel. */
export async function receiveWebhook(
  world: World,
  to: { mchNo: string; channel: ChannelName },
  raw: RawWebhook,
): Promise<Received | null> {
  const channel = await world.channelOf(to.mchNo, to.channel)
  if (channel === null) return null
  const told = await channel.readWebhook(raw)
  if (told.kind === 'forged') return { reply: channel.replyToWebhook(false), outcome: `FORGED: ${told.why}` }
  const reply = channel.replyToWebhook(true)
  if (told.kind === 'other') return { reply, outcome: `OTHER: ${told.what}` }

  if (told.kind === 'refund') {
    for (const kind of ['send_refund', 'reverse_payment'] as const) {
      const subject = ownRefundNo(told.refundNo)
      await wakeJob(world.pool, { mchNo: to.mchNo, kind, subject }, world.now())
    }
    return { reply, outcome: 'REFUND' }
  }
  const { attemptNo, payment } = told
  const attempt = await findAttempt(world.pool, to.mchNo, attemptNo)
  if (attempt === null || attempt.channel !== to.channel) {
    const { paymentNo, amountFen, currency, paidAt } = payment
    const stray = { ...to, attemptNo, paymentNo, amountFen, currency, paidAt }
    const isNew = await keepUnmatchedPayment(world.pool, stray, world.now())
    if (isNew) world.log.error({ ...to, attemptNo, paymentNo, alarm: true }, 'money for an attempt nobody knows')
    return { reply, outcome: 'STRAY' }
  }
  const { transactionNo } = attempt
  await receivePayment(world, { mchNo: to.mchNo, transactionNo, attemptNo, payment })
  return { reply, outcome: 'PAID', transactionNo }
}
