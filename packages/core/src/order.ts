/**
 * The life of an order (spec/order-lifecycle.md): one total table. Only this table decides what an event does to an order;
 * the actions, the documentation and the console read it.
 */

export const ORDER_STATES = ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'] as const
export type OrderState = (typeof ORDER_STATES)[number]

/** Why an order is closed or being closed. */
export const CLOSE_REASONS = ['MERCHANT', 'EXPIRED', 'OPERATOR'] as const
export type CloseReason = (typeof CLOSE_REASONS)[number]

/** Identifies an order by the platform's number or by the merchant's. */
export type OrderRef = { transactionNo: string } | { mchTradeNo: string }

export const ORDER_EVENTS = [
  'pay_started',
  'close_asked',
  'expired',
  'all_shut',
  'money_arrived',
  'money_returned',
  'refund_asked',
  'refund_done',
  'refund_failed',
] as const
export type OrderEvent = (typeof ORDER_EVENTS)[number]

/** Why the table refuses an event. The HTTP side maps it to the error code on the wire. */
export type OrderRefusal = 'ORDER_CLOSING' | 'ORDER_CLOSED' | 'ORDER_PAID' | 'ORDER_NOT_PAID'

/** What happens to a payment that arrives: the order keeps it, or the gateway sends it back to the payer in full. */
export type Disposition = 'keep' | 'reverse'

type Cell =
  /** The order goes to `to`; to `untouched` instead if no attempt was ever opened for it. */
  { to: OrderState; untouched?: OrderState; money?: Disposition } | { no: OrderRefusal }

const stays = <State extends OrderState>(to: State) => ({ to })
const no = (refusal: OrderRefusal) => ({ no: refusal })

/**
 * Rows: the order's current state. Columns: the event. An order past its expiry gets `expired` before any other event
 * (see `decide`). The column `money_arrived` never refuses, so that every payment is booked. `money_returned`: the upstream,
 * or the merchant in the upstream's own pages, has sent back the kept payment. The gateway itself never does that (I10).
 */
export const ORDER_TABLE = {
  NOTPAY: {
    pay_started: stays('NOTPAY'),
    close_asked: { to: 'CLOSING', untouched: 'CLOSED' },
    expired: { to: 'CLOSING', untouched: 'CLOSED' },
    all_shut: stays('NOTPAY'),
    money_arrived: { to: 'SUCCESS', money: 'keep' },
    money_returned: stays('NOTPAY'),
    refund_asked: no('ORDER_NOT_PAID'),
    refund_done: no('ORDER_NOT_PAID'),
    refund_failed: no('ORDER_NOT_PAID'),
  },
  CLOSING: {
    pay_started: no('ORDER_CLOSING'),
    close_asked: stays('CLOSING'),
    expired: stays('CLOSING'),
    all_shut: { to: 'CLOSED' },
    money_arrived: { to: 'SUCCESS', money: 'keep' },
    money_returned: stays('CLOSING'),
    refund_asked: no('ORDER_NOT_PAID'),
    refund_done: no('ORDER_NOT_PAID'),
    refund_failed: no('ORDER_NOT_PAID'),
  },
  CLOSED: {
    pay_started: no('ORDER_CLOSED'),
    close_asked: stays('CLOSED'),
    expired: stays('CLOSED'),
    all_shut: stays('CLOSED'),
    money_arrived: { to: 'CLOSED', money: 'reverse' },
    money_returned: stays('CLOSED'),
    refund_asked: no('ORDER_NOT_PAID'),
    refund_done: no('ORDER_NOT_PAID'),
    refund_failed: no('ORDER_NOT_PAID'),
  },
  SUCCESS: {
    pay_started: no('ORDER_PAID'),
    close_asked: no('ORDER_PAID'),
    expired: stays('SUCCESS'),
    all_shut: stays('SUCCESS'),
    money_arrived: { to: 'SUCCESS', money: 'reverse' },
    money_returned: { to: 'REFUND' },
    refund_asked: stays('SUCCESS'),
    refund_done: { to: 'REFUND' },
    refund_failed: stays('SUCCESS'),
  },
  REFUND: {
    pay_started: no('ORDER_PAID'),
    close_asked: no('ORDER_PAID'),
    expired: stays('REFUND'),
    all_shut: stays('REFUND'),
    money_arrived: { to: 'REFUND', money: 'reverse' },
    money_returned: stays('REFUND'),
    refund_asked: stays('REFUND'),
    refund_done: stays('REFUND'),
    refund_failed: stays('REFUND'),
  },
} as const satisfies Record<OrderState, Record<OrderEvent, Cell>>

/** The part of an order that the table needs. Times are milliseconds since 1970. */
export type OrderSnapshot = {
  state: OrderState
  closeReason: CloseReason | null
  /** Number of attempts ever opened, whether they are paid, closed or still open. */
  attempts: number
  expiresAtMs: number
}

/** One change of an order. `from` equals `to` where the state stays and only a row is added (an attempt, a reversal). */
export type Step = {
  event: OrderEvent
  from: OrderState
  to: OrderState
  closeReason: CloseReason | null
  money: Disposition | null
}

/** The caller writes the steps also when the event itself is refused: the order may have expired before the event. */
export type Decision = { refused: OrderRefusal | null; steps: Step[] }

export type OrderInput =
  | { event: Exclude<OrderEvent, 'close_asked' | 'money_arrived'> }
  /** A merchant or an operator asks to close the order; expiry has its own event. */
  | { event: 'close_asked'; by: Exclude<CloseReason, 'EXPIRED'> }
  /** `isExact`: amount and currency equal the order's. Any other payment is never kept. */
  | { event: 'money_arrived'; isExact: boolean }

/**
 * Decides what an event does to an order. An order past its expiry counts as expired from that moment, also before a job
 * has written it: then `expired` is the first step. A repeated event changes nothing and yields no step. An attempt, a
 * payment and a refund always yield one, because they must be booked.
 */
export function decide(order: OrderSnapshot, happening: OrderInput, nowMs: number): Decision {
  const isExpired = nowMs >= order.expiresAtMs
  const expiry = isExpired ? stepOf(order, { event: 'expired' }, ORDER_TABLE[order.state].expired) : null
  const steps = expiry === null ? [] : [expiry]
  // An early 'expired' (from a process whose clock runs ahead) changes nothing; a due one is the expiry step itself.
  if (happening.event === 'expired') return { refused: null, steps }

  const current = expiry === null ? order : { ...order, state: expiry.to, closeReason: expiry.closeReason }
  const cell: Cell = ORDER_TABLE[current.state][happening.event]
  if ('no' in cell) return { refused: cell.no, steps }
  const step = stepOf(current, happening, cell)
  return { refused: null, steps: step === null ? steps : [...steps, step] }
}

/** These events yield a step also when the order's state stays the same. */
const ALWAYS_BOOKED: ReadonlySet<OrderEvent> = new Set(['pay_started', 'refund_asked', 'refund_done', 'refund_failed'])

/** Null when there is nothing to write. `cell` is the table's for this order and event. */
function stepOf(order: OrderSnapshot, happening: OrderInput, cell: Exclude<Cell, { no: OrderRefusal }>): Step | null {
  const { state: from } = order
  const { event } = happening
  if (happening.event === 'money_arrived' && !happening.isExact) {
    return { event, from, to: from, closeReason: order.closeReason, money: 'reverse' }
  }
  const to = order.attempts === 0 && cell.untouched !== undefined ? cell.untouched : cell.to
  const money = cell.money ?? null
  if (to === from && money === null && !ALWAYS_BOOKED.has(event)) return null
  return { event, from, to, closeReason: closeReasonOf(order, to, happening), money }
}

function closeReasonOf(order: OrderSnapshot, to: OrderState, happening: OrderInput): CloseReason | null {
  if (to !== 'CLOSING' && to !== 'CLOSED') return null
  if (order.closeReason !== null) return order.closeReason
  return happening.event === 'close_asked' ? happening.by : 'EXPIRED'
}

/** An order's state at a moment. An expiry that has passed counts also before a job has written it. */
export function stateAt(order: OrderSnapshot, nowMs: number): Pick<OrderSnapshot, 'state' | 'closeReason'> {
  const expiry = decide(order, { event: 'expired' }, nowMs).steps[0]
  return expiry === undefined ? order : { state: expiry.to, closeReason: expiry.closeReason }
}
