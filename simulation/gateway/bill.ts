/** The upstreams' daily bills: every payment that was taken and every refund that was done on a day in UTC+8. */
import { createHash } from 'node:crypto'
import { type ChannelName, type UpstreamBillAnswer, type UpstreamBillLine, unknown } from '@acopay/channels'
import { WECHAT_27, wechatBill, wechatRow } from '../../test/support/oracle/bills.ts'
import type { Process } from './scheduler.ts'
import type { Trade } from './trades.ts'
import type { Parts, UpstreamPaymentLine } from './upstream-parts.ts'
import { chinaTime, SETTINGS, yuanOf } from './wire-identity.ts'

const ANSWER_MS = 300

type Line = UpstreamPaymentLine | Extract<UpstreamBillLine, { kind: 'refund' | 'refund_not_done' }>

/** The lines of a day's bill; null if the bill is late. */
function linesOfDay(parts: Parts, process: Process, name: ChannelName, day: string): Promise<Line[] | null> {
  const { schedule, observer, trades } = parts
  observer.waiting()
  return new Promise((resolve) => {
    schedule.at(schedule.nowMs() + ANSWER_MS, process, () => {
      if (observer.bills.isBillLate()) return resolve(null)
      const own = [...trades.values()].filter(({ channel }) => channel === name)
      const lines = own.flatMap((trade) => linesOf(trade, schedule.nowMs())).filter(({ at }) => chinaDay(at) === day)
      resolve([...lines, ...forgedLines(parts, own, `${name} ${day}`)])
    })
  })
}

/** Alipay's bill is a zip, which is unpacked outside the scheduler's order: it is told by its lines. */
export async function alipayBillOf(parts: Parts, process: Process, day: string): Promise<UpstreamBillAnswer> {
  const lines = await linesOfDay(parts, process, 'alipay', day)
  if (lines === null) return unknown('no answer')
  return lines.length === 0 ? { kind: 'none' } : { kind: 'bill', lines }
}

/** "申请交易账单": where the day's bill lies, with its hash. */
export async function wechatBillAt(parts: Parts, process: Process, day: string): Promise<[number, object]> {
  const lines = await linesOfDay(parts, process, 'wechat', day)
  if (lines === null) return [400, { code: 'STATEMENT_CREATING' }]
  if (lines.length === 0) return [400, { code: 'NO_STATEMENT_EXIST' }]
  const file = wechatBill(WECHAT_27, lines.map(wechatLine))
  const hash = createHash('sha1').update(file).digest('hex')
  parts.files.set(hash, file)
  const url = `${SETTINGS.wechat.baseUrl}/v3/billdownload/file?token=${hash}`
  return [200, { download_url: url, hash_type: 'SHA1', hash_value: hash }]
}

function wechatLine(line: Line): string {
  const { attemptNo, paymentNo, amountFen, at } = line
  const common = { 交易时间: chinaTime(at), 微信订单号: paymentNo, 商户订单号: attemptNo }
  if (line.kind === 'payment') return wechatRow(WECHAT_27, { ...common, 订单金额: yuanOf(amountFen) })
  return wechatRow(WECHAT_27, {
    ...common,
    交易状态: 'REFUND',
    商户退款单号: line.refundNo,
    申请退款金额: yuanOf(amountFen),
    退款状态: line.kind === 'refund' ? 'SUCCESS' : line.why,
  })
}

/** A bill is not signed: a line in it may tell of a payment that was never made. It is there whenever the bill is read again. */
function forgedLines({ observer, forged, wording }: Parts, trades: Trade[], bill: string): UpstreamPaymentLine[] {
  const before = forged.get(bill)
  if (before !== undefined) return [before]
  const day = bill.split(' ')[1] ?? ''
  const trade = trades.length === 0 ? undefined : wording.pick(trades)
  if (trade === undefined || !observer.bills.isBillForged()) return []
  const line = {
    kind: 'payment' as const,
    attemptNo: trade.no,
    paymentNo: `FORGED${day.replaceAll('-', '')}${trade.no}`,
    amountFen: trade.fen,
    at: new Date(`${day}T12:00:00+08:00`),
  }
  forged.set(bill, line)
  return [line]
}

const chinaDay = (at: Date): string => chinaTime(at).slice(0, 10)

function linesOf({ no: attemptNo, channel, payments }: Trade, nowMs: number): Line[] {
  return payments.flatMap(({ paymentNo, amountFen, paidAt, refunds }): Line[] => [
    { kind: 'payment', attemptNo, paymentNo, amountFen, at: paidAt },
    ...refunds.flatMap(({ no: refundNo, fen, askedFen = fen, doneMs, closes }): Line[] => {
      const refund = { attemptNo, paymentNo, refundNo, amountFen: askedFen, at: new Date(doneMs) }
      if (doneMs > nowMs) return []
      // WeChat Pay lists a refund that sent no money, and says so.
      if (closes && channel === 'wechat') return [{ kind: 'refund_not_done', ...refund, why: 'FAIL' }]
      return fen > 0n ? [{ kind: 'refund', ...refund }] : []
    }),
  ])
}
