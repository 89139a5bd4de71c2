/** What happened to one order, as its merchant, its payers and the upstreams saw it. */
import type { Plan } from './plan.ts'

export type Column =
  | 'place'
  | 'open'
  | 'scan'
  | 'pay'
  | 'outside'
  | 'close'
  | 'query'
  | 'refund'
  | 'query_refund'
  | 'told_payment'
  | 'told_refund'
  | 'bill'
  | 'trouble'

/** One call and its answer, or one notification. All times are ms of this process's clock. */
export type Fact = {
  column: Column
  /** The answer in one word, see stories.ts; empty when no answer came. */
  word: string
  sentMs: number
  /** When the merchant knew; null when no answer came. */
  knownMs: number | null
  refund?: string
  attempt?: string
  fen?: number
  note?: string
  /** What the merchant's server answered to a notification, unless it acknowledged at once. */
  answered?: string
}

export type OrderRecord = {
  plan: Plan
  transactionNo: string
  mchTradeNo: string
  /** The attempts that were opened, with their upstream numbers. */
  attempts: { no: string; channel: string; method: string }[]
  facts: Fact[]
}

/** What is known of an order at rest, beside its facts. */
export type Rest = {
  /** What the upstreams' own books say of this order's attempts. */
  money: { attempt: string; takenFen: number; returnedFen: number }[]
  /** Whether the day's bill was read; its lines are facts. */
  isBilled: boolean
  /** What the gateway's reconciliation found. */
  differences: { attempt: string; kind: string }[]
}

export type Violation = { rule: string; why: string }
