/** A transaction as WeChat Pay describes it, in answers to queries and in notifications alike. */
import type { QueryAnswer, UpstreamPayment } from '../contract.ts'
import type { WechatAccount } from './account.ts'

/** Null when it belongs to another account, or when a field is not what the manual says. */
export function readTransaction(
  { mchId, appId }: WechatAccount,
  data: Record<string, unknown>,
): { attemptNo: string; says: QueryAnswer } | null {
  if (data.mchid !== mchId || (data.appid !== undefined && data.appid !== appId)) return null
  const { out_trade_no: attemptNo, trade_state: state } = data
  if (typeof attemptNo !== 'string' || typeof state !== 'string') return null
  switch (state) {
    // REFUND: paid, and refunded in part or in full since. The payment took place all the same.
    case 'SUCCESS':
    case 'REFUND': {
      const payment = readPayment(data)
      return payment === null ? null : { attemptNo, says: { kind: 'paid', payment } }
    }
    case 'NOTPAY':
    case 'USERPAYING':
    // The payer tried and failed, and may try again.
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
    // The amount of the order. The payer may have paid less: WeChat Pay settles coupons with the merchant.
    amountFen: BigInt(total as number),
    currency: typeof currency === 'string' ? currency : 'CNY',
    paidAt,
    payer: typeof openid === 'string' ? openid : null,
  }
}
