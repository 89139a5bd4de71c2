/**
 * "支付成功回调通知" and "退款结果通知" (pay.weixin.qq.com): WeChat Pay signs the notification and encrypts the part of it
 * that describes the payment or the refund.
 */
import { isNumber, parseJson, type RawWebhook, type Webhook, type WebhookReply } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import type { WechatContext } from './client.ts'
import type { Party } from './party.ts'
import { openSealed, type Sealed } from './sealed.ts'
import { signedHeaders } from './signature.ts'
import { readTransaction } from './transaction.ts'

export async function readNotification(wechat: WechatContext, { headers, body }: RawWebhook): Promise<Webhook> {
  const { account, party, client } = wechat
  const signed = signedHeaders((name) => headers[name])
  if (!(await client.isTheirs(signed, body))) {
    return { kind: 'forged', why: 'not signed by WeChat Pay, or not lately' }
  }
  const opened = openNotification(account, body.toString('utf8'))
  if (opened === null) return { kind: 'forged', why: 'cannot be decrypted' }
  const { event, data } = opened
  if (event.startsWith('REFUND.')) return readRefund(party, data)
  if (event !== 'TRANSACTION.SUCCESS') return { kind: 'other', what: event }
  const read = readTransaction(wechat, data)
  if (read === null) return { kind: 'forged', why: 'of another account, or unreadable' }
  const { attemptNo, says } = read
  return says.kind === 'paid' ? { kind: 'paid', attemptNo, payment: says.payment } : { kind: 'other', what: says.kind }
}

/** Null when the body is not JSON of the manual's form, or is encrypted under another key. */
function openNotification(
  { apiV3Key }: WechatAccount,
  body: string,
): { event: string; data: Record<string, unknown> } | null {
  try {
    const outer = parseJson(body) as { event_type: string; resource: Sealed }
    const event = String(outer.event_type)
    return { event, data: parseJson(openSealed(apiV3Key, outer.resource)) as Record<string, unknown> }
  } catch {
    return null
  }
}

function readRefund({ isOurRefund }: Party, data: Record<string, unknown>): Webhook {
  const { out_refund_no: refundNo } = data
  return isOurRefund(data) && isNumber(refundNo)
    ? { kind: 'refund', refundNo }
    : { kind: 'forged', why: 'of another account, or unreadable' }
}

export const replyToWebhook = (isHeard: boolean): WebhookReply => ({
  status: isHeard ? 200 : 500,
  contentType: 'application/json; charset=utf-8',
  body: isHeard ? '{"code":"SUCCESS","message":"成功"}' : '{"code":"FAIL","message":"失败"}',
})
