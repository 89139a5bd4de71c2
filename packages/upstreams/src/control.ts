/** What a test, a demo or a developer does to a platform's trades, in the place of the payer, of time and of chance. */
import type { Fault, Faults } from './faults.ts'
import type { Notices } from './notices.ts'
import { isPayable, leftOf, numberOf, refundTrade, returnedOf, type Trade } from './trade.ts'
import type { TradeBooks } from './trade-books.ts'

export type Taken = { no: string; takenFen: number; returnedFen: number }

export type Control = {
  trade: (no: string) => Promise<Trade | null>
  trades: () => Promise<Trade[]>
  /** The payer opens the code in the wallet. False when there is nothing to open. */
  scan: (no: string) => Promise<boolean>
  /** The payer pays, and the platform sends the notification once. Null when the platform refuses the payer. */
  pay: (no: string, how?: { fen?: number; payer?: string }) => Promise<Trade['payment']>
  /** The platform takes the payer's money although the trade is closed: an error of the platform. */
  payAnyway: (no: string) => Promise<Trade['payment']>
  expire: (no: string) => Promise<void>
  /**
   * The platform, or the merchant in the platform's own pages, refunds what is left of the payment. False without one.
   */
  giveBack: (no: string) => Promise<boolean>
  /** All money taken and refunded, by trade. */
  taken: () => Promise<Taken[]>
  /** Sends every notification that is due. Returns their number. */
  deliverDue: () => Promise<number>
}

type Payment = { paymentNo: string; fen?: number; payer?: string; isForced: boolean }

export function controlOf(books: TradeBooks, notices: Notices, faults: Faults): Control {
  const { change, nowMs } = books

  async function pay(no: string, how: Omit<Payment, 'paymentNo'>): Promise<Trade['payment']> {
    const fault = faults.pick('notify', no)
    const paymentNo = numberOf('42', no)
    await books.register('payment', paymentNo, no)
    const payment = await change(no, (trade) => {
      if (trade === null) return null
      return payTrade(trade, { ...how, paymentNo }, fault, nowMs())
    })
    await notices.deliver(no)
    return payment
  }

  return {
    trade: books.find,
    trades: async () => (await books.list()).filter(books.isLanded),
    scan: (no) =>
      change(no, (trade) => {
        if (trade === null || !isPayable(trade, nowMs())) return false
        trade.isCode = false
        return true
      }),
    pay: (no, how = {}) => pay(no, { ...how, isForced: false }),
    payAnyway: (no) => pay(no, { isForced: true }),
    expire: (no) =>
      change(no, (trade) => {
        if (trade !== null) trade.expireMs = nowMs()
      }),
    async giveBack(no) {
      const refundNo = `own-${no}`
      await books.register('refund', refundNo, no)
      return change(no, (trade) => {
        const left = trade === null ? 0 : leftOf(trade)
        return trade !== null && left > 0 && refundTrade(trade, { no: refundNo, fen: left }, nowMs()) !== null
      })
    },
    taken: async () =>
      (await books.list()).map(({ no, payment, refunds }) => ({
        no,
        takenFen: payment?.fen ?? 0,
        returnedFen: returnedOf(refunds),
      })),
    deliverDue: notices.deliverDue,
  }
}

/** The payment of the trade: a new one, or the one it has already. Null when the platform refuses the payer. */
function payTrade(trade: Trade, how: Payment, fault: Fault | null, nowMs: number): Trade['payment'] {
  if (trade.state === 'paid') return trade.payment
  if (!how.isForced && !isPayable(trade, nowMs)) return null
  trade.state = 'paid'
  trade.isCode = false
  trade.payment = {
    no: how.paymentNo,
    fen: how.fen ?? trade.totalFen,
    atMs: Math.floor(nowMs / 1000) * 1000,
    payer: how.payer ?? 'sandbox-payer',
  }
  const probe = fault?.kind === 'probe' ? { isProbe: true as const } : {}
  const notice = { sent: 0, nextMs: nowMs, isHeard: false, ...probe }
  if (fault?.kind !== 'silence') trade.notices.push({ ...notice, id: `${trade.no}-1` })
  if (fault?.kind === 'twin') trade.notices.push({ ...notice, id: `${trade.no}-2` })
  return trade.payment
}
