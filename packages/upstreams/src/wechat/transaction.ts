/** Transactions and refunds as WeChat Pay describes them, in answers and in notifications alike. */
import { isShownClosed, type Refund, type Trade } from '../trade.ts'
import { payerOf, whoseTransaction } from './parties.ts'
import type { WechatStandInSettings } from './settings.ts'
import { timeText } from './time.ts'

export function transactionData(settings: WechatStandInSettings, trade: Trade, nowMs: number): object {
  const common = {
    ...whoseTransaction(settings, trade),
    out_trade_no: trade.no,
    trade_state: stateOf(trade, nowMs),
    trade_state_desc: '',
    amount: { total: trade.totalFen, currency: 'CNY' },
  }
  if (trade.payment === null) return common
  const { no, fen, atMs, payer } = trade.payment
  return {
    ...common,
    transaction_id: no,
    trade_type: trade.method.toUpperCase(),
    bank_type: 'OTHERS',
    ...(trade.attach === undefined ? {} : { attach: trade.attach }),
    success_time: timeText(atMs),
    payer: payerOf(settings, trade, payer),
    amount: { total: fen, payer_total: fen, currency: 'CNY', payer_currency: 'CNY' },
  }
}

function stateOf(trade: Trade, nowMs: number): string {
  if (trade.state === 'paid') return trade.refunds.length > 0 ? 'REFUND' : 'SUCCESS'
  return isShownClosed(trade, nowMs) ? 'CLOSED' : 'NOTPAY'
}

export const refundData = (trade: Trade, refund: Refund, nowMs: number): object => ({
  refund_id: refund.id,
  out_refund_no: refund.no,
  transaction_id: trade.payment?.no,
  out_trade_no: trade.no,
  channel: 'ORIGINAL',
  user_received_account: '支付用户零钱',
  create_time: timeText(refund.atMs),
  ...(nowMs < refund.doneMs ? { status: 'PROCESSING' } : { status: 'SUCCESS', success_time: timeText(refund.doneMs) }),
  amount: { total: trade.payment?.fen, refund: refund.fen, currency: 'CNY' },
})
