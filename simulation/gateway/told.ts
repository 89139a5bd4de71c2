/**
 * What a merchant was answered and told about each order. This must be consistent, and must agree with the upstreams' books
 * (I9 and I10 of spec/order-lifecycle.md). Nothing here reads the gateway's database.
 */
import type { OrderState, RefundState } from '@acopay/core'
import { AMOUNT_FEN } from './scenario.ts'
import { backFen, type Payment } from './trades.ts'

/** How far an order is. CLOSED and SUCCESS exclude each other. */
const RANK: Record<OrderState, number> = { NOTPAY: 0, CLOSING: 1, CLOSED: 2, SUCCESS: 2, REFUND: 3 }

const CLOSE_SHOWS: Record<string, OrderState> = {
  closed: 'CLOSED',
  expired: 'CLOSED',
  paid: 'SUCCESS',
  closing: 'CLOSING',
}

type Shown = { state: OrderState; isPaid: boolean; isClosed: boolean }

type ShownRefund = { orderNo: string; fen: bigint; state: RefundState }

/** `paymentsOf`: the payments that the upstreams took for an order. */
type Outside = { nowMs: () => number; paymentsOf: (orderNo: string) => Payment[]; broke: (what: string) => void }

export type Ledger = ReturnType<typeof ledger>

export function ledger(outside: Outside) {
  const { paymentsOf, broke } = outside
  const orders = new Map<string, Shown>()
  const refunds = new Map<string, ShownRefund>()
  const shownOf = (no: string): Shown => {
    const shown = orders.get(no) ?? { state: 'NOTPAY', isPaid: false, isClosed: false }
    orders.set(no, shown)
    return shown
  }
  /** A late notification and a close of a refunded order may still say 'paid'. Neither takes a REFUND back. */
  const past = (no: string, state: OrderState): OrderState =>
    state === 'SUCCESS' && shownOf(no).state === 'REFUND' ? 'REFUND' : state
  const see = (no: string, state: OrderState, how: string): void => {
    const broken = contradiction(shownOf(no), state)
    if (broken !== null) broke(`${broken}: ${how} ${state} of ${no.slice(-6)}`)
    if (state === 'REFUND' && !mayBeRefunded(outside, no)) {
      broke(`I9: ${how} REFUND of ${no.slice(-6)}, and no refund that the merchant asked for is done`)
    }
    const { isPaid, isClosed } = shownOf(no)
    const isPaidNow = state === 'SUCCESS' || state === 'REFUND'
    orders.set(no, { state, isPaid: isPaid || isPaidNow, isClosed: isClosed || state === 'CLOSED' })
  }
  const inAllOrders = (find: (no: string, shown: Shown) => string | null): string | null =>
    [...orders].map(([no, shown]) => find(no, shown)).find((broken) => broken !== null) ?? null

  return {
    closeSays(no: string, outcome: string): void {
      const state = CLOSE_SHOWS[outcome]
      if (state !== undefined) see(no, past(no, state), 'close says')
    },
    queryShows: (no: string, state: OrderState): void => see(no, state, 'a query shows'),
    paymentToldOf: (no: string, state: OrderState): void => see(no, past(no, state), 'a notification says'),
    refundSays(orderNo: string, refundNo: string, fen: bigint, state: RefundState): void {
      const before = refunds.get(refundNo)
      // The notification may arrive before the answer.
      if (state === 'PROCESSING' && before !== undefined) return
      if (before !== undefined && before.state !== 'PROCESSING' && before.state !== state) {
        broke(`I9: refund ${refundNo.slice(-6)} was told ${before.state}, then ${state}`)
      }
      refunds.set(refundNo, { orderNo, fen, state })
    },
    isToldPaid: (no: string): boolean => orders.get(no)?.isPaid === true,
    isToldClosed: (no: string): boolean => orders.get(no)?.isClosed === true,
    closed: (): string[] => [...orders].flatMap(([no, { isClosed }]) => (isClosed ? [no] : [])),
    brokenNow(): string | null {
      for (const [refundNo, refund] of refunds) {
        const broken = contradictedRefund(outside, refundNo, refund)
        if (broken !== null) return broken
      }
      return inAllOrders((no, { isPaid }) => (isPaid && !paymentsOf(no).some(isLeftToMerchant) ? gone(no) : null))
    },
    /** At rest no upstream keeps money for a closed order. */
    brokenAtRest: (): string | null =>
      inAllOrders((no, { isClosed }) => {
        const isKept = paymentsOf(no).some((payment) => backFen(payment) !== payment.amountFen)
        return isClosed && isKept
          ? `I2: the merchant was told that ${no.slice(-6)} is closed, and an upstream keeps money for it`
          : null
      }),
  }
}

const gone = (no: string): string =>
  `I10: the merchant was told that ${no.slice(-6)} is paid, and the gateway sent the money back`

/** The invariant that is broken if a merchant was shown the first and is now shown the second; null if none is. */
function contradiction(shown: Shown, state: OrderState): string | null {
  if (shown.isClosed && state !== 'CLOSED') return 'I3: told closed, then'
  if (shown.isPaid && state !== 'SUCCESS' && state !== 'REFUND') return 'I10: told paid, then'
  return RANK[state] < RANK[shown.state] ? `I10: told ${shown.state}, then` : null
}

/** A refund that the merchant asked for is done, or money was sent back from outside. */
const mayBeRefunded = ({ paymentsOf, nowMs }: Outside, no: string): boolean =>
  paymentsOf(no).some(({ refunds }) =>
    refunds.some(({ by, fen, doneMs }) => fen > 0n && doneMs <= nowMs() && (by === 'merchant' || by === 'outside')),
  )

/** Only refunds that the merchant asked for, and returns from outside, took money from this payment. */
const isLeftToMerchant = ({ amountFen, refunds }: Payment): boolean =>
  amountFen === AMOUNT_FEN && refunds.every(({ by, fen }) => fen === 0n || by === 'merchant' || by === 'outside')

function contradictedRefund({ paymentsOf, nowMs }: Outside, refundNo: string, told: ShownRefund): string | null {
  const { orderNo, fen, state } = told
  if (state === 'PROCESSING') return null
  const sent = paymentsOf(orderNo).flatMap(({ refunds }) => refunds.filter(({ no }) => no === refundNo))
  const sum = sent.reduce((total, one) => total + (one.doneMs <= nowMs() || state === 'FAIL' ? one.fen : 0n), 0n)
  if (sum === (state === 'FAIL' ? 0n : fen)) return null
  return `I9: refund ${refundNo.slice(-6)} was told ${state}, and ${sum} of ${fen} went back`
}
