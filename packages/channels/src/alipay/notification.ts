/** "异步通知": a form, whose signature covers its decoded values. */
import { isNumber, type RawWebhook, type Webhook, type WebhookReply } from '../contract.ts'
import type { AlipayContext } from './client.ts'
import { readPayment } from './transaction.ts'

export async function readNotification(
  { account, client, door }: AlipayContext,
  { body }: RawWebhook,
): Promise<Webhook> {
  const params = new Map(new URLSearchParams(body.toString('utf8')))
  if (!client.isTheirs(params)) return { kind: 'forged', why: 'not signed by Alipay' }
  if (params.get('app_id') !== account.appId || params.get('seller_id') !== account.sellerId) {
    return { kind: 'forged', why: 'of another app or seller' }
  }
  const status = params.get('trade_status') ?? ''
  if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED') return { kind: 'other', what: status }
  const attemptNo = params.get('out_trade_no') ?? ''
  const payment = readPayment(Object.fromEntries(params), door.now())
  if (payment === null || !isNumber(attemptNo)) return { kind: 'forged', why: 'unreadable' }
  return { kind: 'paid', attemptNo, payment }
}

export const replyToWebhook = (isHeard: boolean): WebhookReply => ({
  status: 200,
  contentType: 'text/plain; charset=utf-8',
  body: isHeard ? 'success' : 'failure',
})
