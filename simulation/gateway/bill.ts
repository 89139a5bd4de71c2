/** The upstreams' daily bills: every payment that was taken and every refund that was done on a day in UTC+8. */
import { type ChannelName, type UpstreamBillAnswer, type UpstreamBillLine, unknown } from '@acopay/channels'
import type { Process } from './scheduler.ts'
import type { Trade } from './trades.ts'
import type { Parts } from './upstream-parts.ts'

const ANSWER_MS = 300

export function billOf(
  { schedule, observer, trades }: Parts,
  process: Process,
  name: ChannelName,
  day: string,
): Promise<UpstreamBillAnswer> {
  observer.waiting()
  return new Promise((resolve) => {
    schedule.at(schedule.nowMs() + ANSWER_MS, process, () => {
      if (observer.isBillLate()) return resolve(name === 'wechat' ? { kind: 'later' } : unknown('no answer'))
      const lines = [...trades.values()]
        .filter(({ channel }) => channel === name)
        .flatMap((trade) => linesOf(trade, schedule.nowMs()))
        .filter(({ at }) => chinaDay(at) === day)
      resolve(lines.length === 0 ? { kind: 'none' } : { kind: 'bill', lines })
    })
  })
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
