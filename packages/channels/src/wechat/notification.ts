/** WeChat Pay tells of a payment or a refund (pay.weixin.qq.com, "支付成功回调通知", "退款结果通知"): signed outside, encrypted inside. */
import type { Notification, RawNotification } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import { signedHeaders, type WechatClient } from './client.ts'
import { openSealed, type Sealed } from './sealed.ts'
import { readTransaction } from './transaction.ts'

const CERTIFICATES_MS = 3000

export async function readWechatNotification(
  account: WechatAccount,
  { isTheirs }: WechatClient,
  { headers, body }: RawNotification,
): Promise<Notification> {
  const signed = signedHeaders((name) => headers[name])
  if (!(await isTheirs(signed, body, AbortSignal.timeout(CERTIFICATES_MS)))) {
    return { kind: 'forged', why: 'not signed by WeChat Pay, or not lately' }
  }
  let event: string
  let data: Record<string, unknown>
  try {
    const outer = JSON.parse(body) as { event_type: string; resource: Sealed }
    event = String(outer.event_type)
    data = JSON.parse(openSealed(account.apiV3Key, outer.resource)) as Record<string, unknown>
  } catch {
    return { kind: 'forged', why: 'cannot be decrypted' }
  }
  if (event.startsWith('REFUND.')) {
    const { mchid, out_refund_no: refundNo } = data
    const isOurs = mchid === account.mchId && typeof refundNo === 'string'
    return isOurs ? { kind: 'refund', refundNo } : { kind: 'forged', why: 'of another account, or unreadable' }
  }
  if (event !== 'TRANSACTION.SUCCESS') return { kind: 'other', what: event }
  const read = readTransaction(account, data)
  if (read === null) return { kind: 'forged', why: 'of another account, or unreadable' }
  const { attemptNo, says } = read
  return says.kind === 'paid' ? { kind: 'paid', attemptNo, payment: says.payment } : { kind: 'other', what: says.kind }
}
