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

/** One call and its answer, or one thing that came by itself. Times in ms of one clock. */
export type Fact = {
  column: Column
  /** What was heard: see stories.ts. Empty where no answer came. */
  word: string
  sentMs: number
  /** From then on the merchant knew; null: no answer came. */
  knownMs: number | null
  refund?: string
  attempt?: string
  fen?: number
  note?: string
  /** What the merchant's server answered to a notification, where it did not simply hear. */
  answered?: string
}

export type OrderRecord = {
  plan: Plan
  transactionNo: string
  mchTradeNo: string
  /** The upstream's numbers, by the plan's. */
  attempts: { no: string; channel: string; method: string }[]
  facts: Fact[]
}

/** How everything stands when nothing is under way any more. */
export type Rest = {
  /** Of this order's attempts, from the upstreams' own books. */
  money: { attempt: string; takenFen: number; returnedFen: number }[]
  /** Whether the day's bill was looked at: its lines are facts. */
  isBilled: boolean
  /** What the gateway's reconciliation found. */
  differences: { attempt: string; kind: string }[]
}

export type Violation = { rule: string; why: string }
