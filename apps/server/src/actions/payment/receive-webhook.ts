/** Receives an upstream's webhook: checks the signature first, and books the payment before it acknowledges. */
import type { ChannelName, RawWebhook, WebhookReply } from '@acopay/channels'
import { keepUnmatchedPayment, wakeJob } from '@acopay/store'
import { ownRefundNo } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { receiveByAttempt } from './receive-payment.ts'

export type Received = { reply: WebhookReply; outcome: string; transactionNo?: string; isForged?: true }

/** Null when the merchant has no account with this channel. */
export async function receiveWebhook(
  world: World,
  to: { mchNo: string; channel: ChannelName },
  raw: RawWebhook,
): Promise<Received | null> {
  const channel = await world.channelOf(to.mchNo, to.channel)
  if (channel === null) return null
  const webhook = await channel.readWebhook(raw)
  if (webhook.kind === 'forged') {
    return { reply: channel.replyToWebhook(false), outcome: `FORGED: ${webhook.why}`, isForged: true }
  }
  const reply = channel.replyToWebhook(true)
  if (webhook.kind === 'other') return { reply, outcome: `OTHER: ${webhook.what}` }

  if (webhook.kind === 'refund') {
    for (const kind of ['send_refund', 'reverse_payment'] as const) {
      const subject = ownRefundNo(webhook.refundNo)
      await wakeJob(world.pool, { mchNo: to.mchNo, kind, subject }, world.now())
    }
    return { reply, outcome: 'REFUND' }
  }
  const { attemptNo, payment } = webhook
  const received = await receiveByAttempt(world, { ...to, attemptNo, payment })
  if (received === null) {
    const { paymentNo, amountFen, currency, paidAt } = payment
    const unmatched = { ...to, attemptNo, paymentNo, amountFen, currency, paidAt }
    const isNew = await keepUnmatchedPayment(world.pool, unmatched, world.now())
    if (isNew) world.log.error({ ...to, attemptNo, paymentNo, alarm: true }, 'payment for an unknown attempt')
    return { reply, outcome: 'UNMATCHED' }
  }
  return { reply, outcome: 'PAID', transactionNo: received.transactionNo }
}
