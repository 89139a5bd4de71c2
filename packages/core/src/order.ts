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

/** Why the table says no. The words of the wire are chosen where the answer is rendered. */
export type OrderRefusal = 'ORDER_CLOSING' | 'ORDER_CLOSED' | 'ORDER_PAID' | 'ORDER_NOT_PAID'

/** What happens to money that arrives: the order keeps it, or it goes back to the payer in full. */
export type Disposition = 'keep' | 'reverse'

type Cell =
  /** The order goes to `to`; to `untouched` instead if no attempt was ever opened for it. */
  { to: OrderState; untouched?: OrderState; money?: Disposition } | { no: OrderRefusal }

const stays = <State extends OrderState>(to: State) => ({ to })
const no = (refusal: OrderRefusal) => ({ no: refusal })

/**
 * Rows: where the order stands. Columns: what just happened. An order past its expiry is asked `expired` first
 * (see `decide`). The column `money_arrived` never refuses: money is never dropped. `money_returned`: the upstream, or the
 * merchant in the upstream's own pages, has sent back what the order kept. The gateway itself never does (I10).
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

/** What the table needs to know of an order. Times are milliseconds since 1970. */
export type OrderSnapshot = {
  state: OrderState
  closeReason: CloseReason | null
  /** Attempts ever opened, whatever became of them. */
  attempts: number
  expiresAtMs: number
}

/** One change of an order; `from` and `to` are the same where only something is added (an attempt, money sent back). */
export type Step = {
  event: OrderEvent
  from: OrderState
  to: OrderState
  closeReason: CloseReason | null
  money: Disposition | null
}

/** The steps are taken also when the event itself is refused: an order may expire on the way to a refusal. */
export type Decision = { refused: OrderRefusal | null; steps: Step[] }

export type OrderInput =
  | { event: Exclude<OrderEvent, 'close_asked' | 'money_arrived'> }
  /** Closing for a merchant or an operator; expiry has its own event. */
  | { event: 'close_asked'; by: Exclude<CloseReason, 'EXPIRED'> }
  /** `isExact`: the amount and the currency are the order's. Money that is not is never kept. */
  | { event: 'money_arrived'; isExact: boolean }

/**
 * Decides what happens to an order. An order past its expiry counts as expired from that moment, whether or not a
 * job has said so: then `expired` is its first step. Repeats change nothing and yield no step; an attempt, money
 * and a refund always yield one, because they must be booked.
 */
export function decide(order: OrderSnapshot, happening: OrderInput, nowMs: number): Decision {
  const lapse = hasExpired(order, nowMs) ? stepOf(order, { event: 'expired' }) : null
  const steps = lapse === null ? [] : [lapse]
  // An early 'expired' (a clock that runs ahead elsewhere) changes nothing; a due one is the lapse itself.
  if (happening.event === 'expired') return { refused: null, steps }

  const stands = lapse === null ? order : { ...order, state: lapse.to, closeReason: lapse.closeReason }
  const cell: Cell = ORDER_TABLE[stands.state][happening.event]
  if ('no' in cell) return { refused: cell.no, steps }
  const step = stepOf(stands, happening)
  return { refused: null, steps: step === null ? steps : [...steps, step] }
}

const hasExpired = (order: OrderSnapshot, nowMs: number): boolean =>
  order.state === 'NOTPAY' && nowMs >= order.expiresAtMs

/** Each of these is booked, also where the order stays as it is. */
const ALWAYS_TOLD: ReadonlySet<OrderEvent> = new Set(['pay_started', 'refund_asked', 'refund_done', 'refund_failed'])

/** Null when there is nothing to write. */
function stepOf(order: OrderSnapshot, happening: OrderInput): Step | null {
  const { state: from } = order
  const { event } = happening
  if (happening.event === 'money_arrived' && !happening.isExact) {
    return { event, from, to: from, closeReason: order.closeReason, money: 'reverse' }
  }
  const cell: Cell = ORDER_TABLE[from][event]
  if ('no' in cell) return null
  const to = order.attempts === 0 && cell.untouched !== undefined ? cell.untouched : cell.to
  const money = cell.money ?? null
  if (to === from && money === null && !ALWAYS_TOLD.has(event)) return null
  return { event, from, to, closeReason: closeReasonOf(order, to, happening), money }
}

function closeReasonOf(order: OrderSnapshot, to: OrderState, happening: OrderInput): CloseReason | null {
  if (to !== 'CLOSING' && to !== 'CLOSED') return null
  if (order.closeReason !== null) return order.closeReason
  return happening.event === 'close_asked' ? happening.by : 'EXPIRED'
}

/** Where an order stands at a moment, expiry counted although nobody has written it down yet. */
export function stateAt(order: OrderSnapshot, nowMs: number): Pick<OrderSnapshot, 'state' | 'closeReason'> {
  const lapse = decide(order, { event: 'expired' }, nowMs).steps[0]
  return lapse === undefined ? order : { state: lapse.to, closeReason: lapse.closeReason }
}
