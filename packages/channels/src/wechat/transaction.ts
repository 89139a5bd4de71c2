/** A transaction as WeChat Pay tells of it, in answers to queries and in notifications alike. */
import type { QueryAnswer, UpstreamPayment } from '../contract.ts'
import type { WechatAccount } from './account.ts'

/** Null when it is not of this account, or not what the manual says. */
export function readTransaction(
  { mchId, appId }: WechatAccount,
  data: Record<string, unknown>,
): { attemptNo: string; says: QueryAnswer } | null {
  if (data.mchid !== mchId || (data.appid !== undefined && data.appid !== appId)) return null
  const { out_trade_no: attemptNo, trade_state: state } = data
  if (typeof attemptNo !== 'string' || typeof state !== 'string') return null
  switch (state) {
    // REFUND: paid, and something was sent back since. The money was taken all the same.
    case 'SUCCESS':
    case 'REFUND': {
      const payment = readPayment(data)
      return payment === null ? null : { attemptNo, says: { kind: 'paid', payment } }
    }
    case 'NOTPAY':
    case 'USERPAYING':
    // A try of the payer's failed; another may follow.
    case 'PAYERROR':
      return { attemptNo, says: { kind: 'open' } }
    case 'CLOSED':
    case 'REVOKED':
      return { attemptNo, says: { kind: 'closed' } }
    default:
      return null
  }
}

function readPayment(data: Record<string, unknown>): UpstreamPayment | null {
  const { transaction_id: paymentNo, success_time: time } = data
  const { total, currency } = (data.amount ?? {}) as { total?: unknown; currency?: unknown }
  const { openid } = (data.payer ?? {}) as { openid?: unknown }
  const paidAt = new Date(String(time))
  if (typeof paymentNo !== 'string' || !Number.isSafeInteger(total) || Number.isNaN(paidAt.getTime())) return null
  return {
    paymentNo,
    // What the order cost; what the payer paid may be less by a coupon that WeChat Pay settles.
    amountFen: BigInt(total as number),
    currency: typeof currency === 'string' ? currency : 'CNY',
    paidAt,
    payer: typeof openid === 'string' ? openid : null,
  }
}
