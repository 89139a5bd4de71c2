/**
 * The life of an order (spec/order-lifecycle.md): one total table. It is the only thing that decides; code,
 * documentation and console read it.
 */

export const ORDER_STATES = ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'] as const
export type OrderState = (typeof ORDER_STATES)[number]

/** Why an order is closed or being closed. */
export const CLOSE_REASONS = ['MERCHANT', 'EXPIRED', 'OPERATOR'] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/** How an order is named: by the platform's number or by the merchant's own. */
export type OrderRef = { transactionNo: string } | { mchTradeNo: string }

export const ORDER_EVENTS = ['pay_started', 'close_asked', 'expired', 'all_shut', 'money_arrived'] as const
export type OrderEvent = (typeof ORDER_EVENTS)[number]

/** Why the table says no. The words of the wire are chosen where the answer is rendered. */
export type OrderRefusal = 'ORDER_CLOSING' | 'ORDER_CLOSED' | 'ORDER_PAID'

/** What happens to money that arrives: the order keeps it, or it goes back to the payer in full. */
export type MoneyFate = 'keep' | 'reverse'

type Cell =
  /** The order goes to `to`; to `untouched` instead if no attempt was ever opened for it. */
  { to: OrderState; untouched?: OrderState; money?: MoneyFate } | { no: OrderRefusal }

const stays = <State extends OrderState>(to: State) => ({ to })
const no = (refusal: OrderRefusal) => ({ no: refusal })

/**
 * Rows: where the order stands. Columns: what just happened. An order past its expiry is asked `expired` first
 * (see `decide`). The column `money_arrived` never refuses: money is never dropped.
 */
export const ORDER_TABLE = {
  NOTPAY: {
    pay_started: stays('NOTPAY'),
    close_asked: { to: 'CLOSING', untouched: 'CLOSED' },
    expired: { to: 'CLOSING', untouched: 'CLOSED' },
    all_shut: stays('NOTPAY'),
    money_arrived: { to: 'SUCCESS', money: 'keep' },
  },
  CLOSING: {
    pay_started: no('ORDER_CLOSING'),
    close_asked: stays('CLOSING'),
    expired: stays('CLOSING'),
    all_shut: { to: 'CLOSED' },
    money_arrived: { to: 'SUCCESS', money: 'keep' },
  },
  CLOSED: {
    pay_started: no('ORDER_CLOSED'),
    close_asked: stays('CLOSED'),
    expired: stays('CLOSED'),
    all_shut: stays('CLOSED'),
    money_arrived: { to: 'CLOSED', money: 'reverse' },
  },
  SUCCESS: {
    pay_started: no('ORDER_PAID'),
    close_asked: no('ORDER_PAID'),
    expired: stays('SUCCESS'),
    all_shut: stays('SUCCESS'),
    money_arrived: { to: 'SUCCESS', money: 'reverse' },
  },
  REFUND: {
    pay_started: no('ORDER_PAID'),
    close_asked: no('ORDER_PAID'),
    expired: stays('REFUND'),
    all_shut: stays('REFUND'),
    money_arrived: { to: 'REFUND', money: 'reverse' },
  },
} as const satisfies Record<OrderState, Record<OrderEvent, Cell>>

/** What the table needs to know of an order. Times are milliseconds since 1970. */
export type OrderStands = {
  state: OrderState
  closeReason: CloseReason | null
  /** Attempts ever opened, whatever became of them. */
  attempts: number
  expiresAtMs: number
}

/** A change the order makes, or would make by standing still. */
export type Step = {
  from: OrderState
  to: OrderState
  closeReason: CloseReason | null
  money: MoneyFate | null
}

export type Decision = { refused: OrderRefusal; steps: Step[] } | { refused: null; steps: Step[] }

const REASON_OF: Partial<Record<OrderEvent, CloseReason>> = { close_asked: 'MERCHANT', expired: 'EXPIRED' }

/**
 * Decides what an event does to an order at a moment. An order past its expiry counts as expired whether or not
 * a job has said so: then `expired` is its first step. Steps that change nothing are left out, except that money
 * always yields a step, because it must be booked. `by` is the reason of a close; expiry has its own.
 */
export function decide(order: OrderStands, event: OrderEvent, nowMs: number, by: CloseReason = 'MERCHANT'): Decision {
  const steps: Step[] = []
  let stands = order
  if (event !== 'expired' && order.state === 'NOTPAY' && nowMs >= order.expiresAtMs) {
    const lapse = step(order, 'expired', by)
    if (lapse !== null) {
      steps.push(lapse)
      stands = { ...order, state: lapse.to, closeReason: lapse.closeReason }
    }
  }
  // An early 'expired' (a clock that runs ahead elsewhere) changes nothing.
  if (event === 'expired' && nowMs < order.expiresAtMs) return { refused: null, steps }
  const cell: Cell = ORDER_TABLE[stands.state][event]
  if ('no' in cell) return { refused: cell.no, steps }
  const change = step(stands, event, by)
  if (change !== null) steps.push(change)
  return { refused: null, steps }
}

/** Null when the event leaves the order as it is. */
function step(order: OrderStands, event: OrderEvent, by: CloseReason): Step | null {
  const cell: Cell = ORDER_TABLE[order.state][event]
  if ('no' in cell) return null
  const to = order.attempts === 0 && cell.untouched !== undefined ? cell.untouched : cell.to
  const money = cell.money ?? null
  if (to === order.state && money === null) return null
  const isClosing = to === 'CLOSING' || to === 'CLOSED'
  const reason = REASON_OF[event] === 'MERCHANT' ? by : (REASON_OF[event] ?? order.closeReason)
  return { from: order.state, to, closeReason: isClosing ? reason : null, money }
}

/** Where an order stands at a moment, expiry counted although nobody has written it down yet. */
export function standsAt(order: OrderStands, nowMs: number): { state: OrderState; closeReason: CloseReason | null } {
  const isLapsed = order.state === 'NOTPAY' && nowMs >= order.expiresAtMs
  const lapse = isLapsed ? step(order, 'expired', 'EXPIRED') : null
  return lapse === null
    ? { state: order.state, closeReason: order.closeReason }
    : { state: lapse.to, closeReason: lapse.closeReason }
}
