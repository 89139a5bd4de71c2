/** "异步通知": a form, whose signature covers its decoded values, in the charset that it names. */
import { isNumber, type RawWebhook, type Webhook, type WebhookReply } from '../contract.ts'
import { decode, readForm } from './bytes.ts'
import type { AlipayContext } from './client.ts'
import { readPayment } from './transaction.ts'

export async function readNotification(
  { account, client, door }: AlipayContext,
  { body }: RawWebhook,
): Promise<Webhook> {
  const form = readForm(body)
  if (!(await client.isTheirs(form))) return { kind: 'forged', why: 'not signed by Alipay' }
  const charset = form.get('charset')?.toString('latin1') || 'utf-8'
  const params = Object.fromEntries([...form].map(([name, value]) => [name, decode(value, charset)]))
  if (params.app_id !== account.appId || params.seller_id !== account.sellerId) {
    return { kind: 'forged', why: 'of another app or seller' }
  }
  const { trade_status: status = '', out_trade_no: attemptNo } = params
  if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED') return { kind: 'other', what: status }
  const payment = readPayment(params, door.now())
  if (payment === null || !isNumber(attemptNo)) return { kind: 'forged', why: 'unreadable' }
  return { kind: 'paid', attemptNo, payment }
}

export const replyToWebhook = (isHeard: boolean): WebhookReply => ({
  status: 200,
  contentType: 'text/plain; charset=utf-8',
  body: isHeard ? 'success' : 'failure',
})
