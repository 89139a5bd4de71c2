/** The content of a notification, not yet encrypted: "支付成功回调通知" for a payment, "退款结果通知" for a refund. */
import type { Trade } from '../trade.ts'
import { whoseRefund } from './parties.ts'
import type { WechatStandInSettings } from './settings.ts'
import { refundData, transactionData } from './transaction.ts'

export function notificationOf(
  settings: WechatStandInSettings,
  trade: Trade,
  refundNo: string | undefined,
  nowMs: number,
) {
  const refund = trade.refunds.find(({ no }) => no === refundNo)
  if (refund === undefined) {
    const data = transactionData(settings, trade, nowMs)
    return { event: 'TRANSACTION.SUCCESS', summary: '支付成功', type: 'transaction', data }
  }
  const data = { ...whoseRefund(settings), refund_status: 'SUCCESS', ...refundData(trade, refund, nowMs) }
  return { event: 'REFUND.SUCCESS', summary: '退款成功', type: 'refund', data }
}
