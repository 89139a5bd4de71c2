/** "异步通知": a form, whose signature covers its decoded values, in the charset that it names. */
import { isNumber, type RawWebhook, type Webhook, type WebhookReply } from '../contract.ts'
import type { AlipayAccount } from './account.ts'
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
  if (!isFor(account, params)) {
    return { kind: 'forged', why: 'of another app or seller' }
  }
  const { trade_status: status = '', out_trade_no: attemptNo } = params
  if (status !== 'TRADE_SUCCESS' && status !== 'TRADE_FINISHED') return { kind: 'other', what: status }
  const payment = readPayment(params, door.now())
  if (payment === null || !isNumber(attemptNo)) return { kind: 'forged', why: 'unreadable' }
  return { kind: 'paid', attemptNo, payment }
}

/**
 * Whether a notification is this account's. `app_id` is the app that made the trade, `auth_app_id` that of the merchant who
 * authorized it; which of the two an account knows as its own depends on who tells ("服务商模式").
 */
function isFor(
  { appId, authAppId = '', sellerId }: AlipayAccount,
  params: Record<string, string | undefined>,
): boolean {
  const { app_id: app, auth_app_id: merchants = '', seller_id: seller } = params
  const isApps = app === appId || merchants === appId
  return isApps && seller === sellerId && (authAppId === '' || merchants === '' || merchants === authAppId)
}

export const replyToWebhook = (isHeard: boolean): WebhookReply => ({
  status: 200,
  contentType: 'text/plain; charset=utf-8',
  body: isHeard ? 'success' : 'failure',
})
