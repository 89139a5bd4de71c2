/** "异步通知": the parameters of a notification of payment, not yet signed. */
import type { Trade } from '../trade.ts'
import type { AlipayStandInSettings } from './settings.ts'
import { timeText } from './time.ts'

export const notificationOf = (
  { appId, sellerId, authorized }: AlipayStandInSettings,
  trade: Trade,
  nowMs: number,
): Record<string, string> => ({
  notify_time: timeText(nowMs),
  notify_type: 'trade_status_sync',
  app_id: appId,
  auth_app_id: authorized?.appId ?? appId,
  seller_id: sellerId,
  out_trade_no: trade.no,
  trade_no: trade.payment?.no ?? '',
  trade_status: 'TRADE_SUCCESS',
  total_amount: ((trade.payment?.fen ?? 0) / 100).toFixed(2),
  buyer_id: trade.payment?.payer ?? '',
  gmt_payment: timeText(trade.payment?.atMs ?? 0),
  subject: trade.description,
  version: '1.0',
})
