/** The upstreams' daily bills: every payment that was taken and every refund that was done on a day in UTC+8. */
import { type ChannelName, type UpstreamBillAnswer, type UpstreamBillLine, unknown } from '@acopay/channels'
import type { Process } from './scheduler.ts'
import type { Trade } from './trades.ts'
import type { Parts, UpstreamPaymentLine } from './upstream-parts.ts'

const ANSWER_MS = 300

export function billOf(parts: Parts, process: Process, name: ChannelName, day: string): Promise<UpstreamBillAnswer> {
  const { schedule, observer, trades } = parts
  observer.waiting()
  return new Promise((resolve) => {
    schedule.at(schedule.nowMs() + ANSWER_MS, process, () => {
      if (observer.bills.isBillLate()) return resolve(name === 'wechat' ? { kind: 'later' } : unknown('no answer'))
      const own = [...trades.values()].filter(({ channel }) => channel === name)
      const lines = own.flatMap((trade) => linesOf(trade, schedule.nowMs())).filter(({ at }) => chinaDay(at) === day)
      lines.push(...forgedLines(parts, own, `${name} ${day}`))
      resolve(lines.length === 0 ? { kind: 'none' } : { kind: 'bill', lines })
    })
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

const chinaDay = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 10)

const linesOf = ({ no: attemptNo, payments }: Trade, nowMs: number): Extract<UpstreamBillLine, { at: Date }>[] =>
  payments.flatMap(({ paymentNo, amountFen, paidAt, refunds }) => [
    { kind: 'payment' as const, attemptNo, paymentNo, amountFen, at: paidAt },
    ...refunds
      .filter(({ fen, doneMs }) => fen > 0n && doneMs <= nowMs)
      .map(({ no: refundNo, fen, doneMs }) => ({
        kind: 'refund' as const,
        attemptNo,
        paymentNo,
        refundNo,
        amountFen: fen,
        at: new Date(doneMs),
      })),
  ])
