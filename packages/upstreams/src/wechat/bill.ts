/** The trade bill of a day, made from the simulator's trades when the merchant downloads it. */
import type { UpstreamReply } from '../stand-in.ts'
import type { Refund, Trade } from '../trade.ts'
import type { Trades } from '../trades.ts'
import type { WechatStandInSettings } from './settings.ts'
import { timeText } from './time.ts'

const COLUMNS = [
  '交易时间',
  '公众账号ID',
  '商户号',
  '特约商户号',
  '设备号',
  '微信订单号',
  '商户订单号',
  '用户标识',
  '交易类型',
  '交易状态',
  '付款银行',
  '货币种类',
  '应结订单金额',
  '代金券金额',
  '微信退款单号',
  '商户退款单号',
  '退款金额',
  '充值券退款金额',
  '退款类型',
  '退款状态',
  '商品名称',
  '商户数据包',
  '手续费',
  '费率',
  '订单金额',
  '申请退款金额',
  '费率备注',
] as const

type Row = Partial<Record<(typeof COLUMNS)[number], string>>

const yuan = (fen: number): string => (fen / 100).toFixed(2)

/** Status 404 when nothing happened that day. */
export async function billFile(settings: WechatStandInSettings, trades: Trades, day: string): Promise<UpstreamReply> {
  const { appId, mchId, subMchId = '0' } = settings
  const whose: Row = { 公众账号ID: appId, 商户号: mchId, 特约商户号: subMchId }
  const rows = (await trades.list()).flatMap((trade) =>
    rowsOf(trade, day, trades.nowMs()).map((row) => ({ ...whose, ...row })),
  )
  const lines = rows.map((row) => `\`${COLUMNS.map((name) => row[name] ?? '').join(',`')}`)
  const body = [COLUMNS.join(','), ...lines, '总交易单数,应结订单总金额', `\`${rows.length},\`0.00`].join('\r\n')
  return { status: rows.length === 0 ? 404 : 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body }
}

function rowsOf({ no, description, payment, refunds }: Trade, day: string, nowMs: number): Row[] {
  if (payment === null) return []
  const common: Row = {
    微信订单号: payment.no,
    商户订单号: no,
    用户标识: payment.payer,
    交易类型: 'NATIVE',
    付款银行: 'OTHERS',
    货币种类: 'CNY',
    应结订单金额: yuan(payment.fen),
    代金券金额: '0.00',
    充值券退款金额: '0.00',
    商品名称: description,
    手续费: '0.00',
    费率: '0.60%',
    订单金额: yuan(payment.fen),
  }
  const isOfDay = (atMs: number): boolean => timeText(atMs).startsWith(day)
  return [
    ...(isOfDay(payment.atMs) ? [{ ...common, ...paymentCells(payment.atMs) }] : []),
    ...refunds.filter(({ atMs }) => isOfDay(atMs)).map((refund) => ({ ...common, ...refundCells(refund, nowMs) })),
  ]
}

const cellTime = (ms: number): string => timeText(ms).slice(0, 19).replace('T', ' ')

const paymentCells = (atMs: number): Row => ({
  交易时间: cellTime(atMs),
  交易状态: 'SUCCESS',
  微信退款单号: '0',
  商户退款单号: '0',
  退款金额: '0.00',
  申请退款金额: '0.00',
})

const refundCells = ({ id, no, fen, atMs, doneMs }: Refund, nowMs: number): Row => ({
  交易时间: cellTime(atMs),
  交易状态: 'REFUND',
  微信退款单号: id,
  商户退款单号: no,
  退款类型: 'ORIGINAL',
  退款状态: nowMs < doneMs ? 'PROCESSING' : 'SUCCESS',
  退款金额: yuan(fen),
  申请退款金额: yuan(fen),
})
