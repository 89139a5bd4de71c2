/** A transaction as WeChat Pay describes it, in answers to queries and in notifications alike. */
import { isNumber, paidAtOf, type QueryAnswer, type UpstreamPayment } from '../contract.ts'
import type { WechatContext } from './client.ts'
import { MINI } from './party.ts'

/** Null when it belongs to another account, or when a field is not what the manual says. */
export function readTransaction(
  { party: own, mini, door }: WechatContext,
  data: Record<string, unknown>,
): { attemptNo: string; says: QueryAnswer } | null {
  const party = [own, mini].find((one) => one?.isOurs(data)) ?? null
  if (party === null) return null
  const { out_trade_no: attemptNo, trade_state: state } = data
  if (!isNumber(attemptNo)) return null
  switch (state) {
    // REFUND: paid, and refunded in part or in full since. The payment took place all the same.
    case 'SUCCESS':
    case 'REFUND': {
      // Through the app that the order was placed with, and no other of this account.
      if ((party === mini) !== (data.attach === MINI)) return null
      const payment = readPayment(data, party.payerOf(data), door.now())
      return payment === null ? null : { attemptNo, says: { kind: 'paid', payment } }
    }
    case 'NOTPAY':
    case 'USERPAYING':
    // The payer's bank has been asked and has not answered.
    case 'ACCEPT':
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

function readPayment(data: Record<string, unknown>, payer: string | null, now: Date): UpstreamPayment | null {
  const { transaction_id: paymentNo, success_time: time } = data
  const { total, currency = 'CNY' } = (data.amount ?? {}) as { total?: unknown; currency?: unknown }
  const paidAt = paidAtOf(time === undefined ? null : new Date(String(time)), now)
  const amountFen = amountOf(total)
  if (!isNumber(paymentNo) || amountFen === null || typeof currency !== 'string' || paidAt === null) return null
  // The amount of the order. The payer may have paid less: WeChat Pay settles coupons with the merchant.
  return { paymentNo, amountFen, currency, paidAt, payer }
}

/** A number of fen, as WeChat Pay writes every amount; null when no money can have this amount. */
export const amountOf = (fen: unknown): bigint | null =>
  Number.isSafeInteger(fen) && (fen as number) > 0 ? BigInt(fen as number) : null
