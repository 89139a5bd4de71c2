/** The overview, and what finance looks at. */
import type { Page } from './session.ts'

/**
 * `GET overview` (`mch_no`): today in UTC+8, the last 24 hours by hour and the last 30 days by day. Hours are counted when
 * we write things down, the newest anew every quarter of a minute; `at` says when.
 */
export type Overview = {
  /** Null before the first count. */
  at: string | null
  today: Volume
  yesterday: Volume
  hours: (Volume & { from: string })[]
  days: (Volume & { from: string })[]
  /**
   * Longer than ten minutes in a state that should pass in seconds; what the lists call STUCK. `expired`: not paid, past
   * their time for so long and not closed. `jobs`: those of `GET jobs`. Counted up to 10 000.
   */
  stuck: {
    closing: number
    expired: number
    refunds: number
    reversals: number
    jobs: number
    oldest_at: string | null
  }
  /** `late`: waiting for more than ten minutes. Counted up to 10 000. */
  notifications: { pending: number; late: number; dead: number }
  /** Attempts of the last hour, how many of them were paid, and how many the upstream has not answered yet. */
  channels: { channel: string; attempts: number; paid: number; in_doubt: number }[]
  unsettled_differences: number
  stray_payments: number
}

/**
 * A row of `GET jobs` (`mch_no`), the oldest first: work that is due for more than ten minutes and nobody takes, or that was
 * written before then, tried three times and is still not done. Watching a shut attempt is not, as long as it is done in time.
 */
export type StuckJobRow = {
  mch_no: string
  kind: string
  /** What it is about: a number, or a day. */
  subject: string
  /** The order it belongs to, where there is one. */
  transaction_no: string | null
  tries: number
  /** The next try. */
  due_at: string
  created_at: string
}
export type StuckJobList = Page<StuckJobRow>

export type Volume = {
  placed: number
  paid: number
  paid_amount: string
  /** Closed, by outcome. */
  closed_by_merchant: number
  closed_by_expiry: number
  closed_by_operator: number
  refunds: number
  refunded_amount: string
  /** Money sent back by the gateway itself. */
  reversals: number
  reversed_amount: string
}

/** A row of `GET bills` (`mch_no`). `GET bills/{mch_no}/{bill_day}/link` answers `{ url }`: where the CSV is for half an hour. */
export type BillRow = {
  mch_no: string
  bill_day: string
  lines: number
  size_bytes: number
  /** Of the file, in lower-case hex; stays when the file is forgotten. */
  sha256: string | null
  made_at: string
  /** Whether its file can still be fetched. */
  has_file: boolean
}
export type BillList = Page<BillRow>

/** `GET bills/{mch_no}/{bill_day}/comparison`: a bill of ours beside the upstreams' of the same day, by channel. */
export type BillComparison = BillRow & { channels: ComparedChannel[] }
export type ComparedChannel = {
  channel: string
  /** Null: the bill has more lines than are added up here (500 000). Its own TOTAL lines say what it comes to. */
  ours: {
    paid: CountedAmount
    refunded: CountedAmount
    /** Of `paid`: made on an earlier day, whose bill was closed when we heard of it. */
    earlier: CountedAmount
    /** Made on this day, and in a later bill of ours for the same reason; the upstream counts it here. */
    later: CountedAmount
  } | null
  /** Null: not yet fetched. */
  theirs: {
    lines: number
    /** Null where an older version of the gateway read the bill. */
    paid: CountedAmount | null
    refunded: CountedAmount | null
    differences: number
    unsettled: number
    done_at: string
  } | null
}
export type CountedAmount = { count: number; amount: string }

/** A row of `GET reconciliations` (`mch_no`): one upstream bill held against our books. */
export type ReconciliationRow = {
  mch_no: string
  channel: string
  day: string
  lines: number
  differences: number
  unsettled: number
  done_at: string
}
export type ReconciliationList = Page<ReconciliationRow>

/** A row of `GET differences` (`mch_no`, `channel`, `day`, `settled` true or false): the unsettled first. `POST differences/settle` takes its key and a note. */
export type DifferenceRow = DifferenceKey & {
  ours: string | null
  theirs: string | null
  settled: boolean
  note: string | null
  settled_by: string | null
  transaction_no: string | null
  found_at: string
}
export type DifferenceKey = {
  mch_no: string
  channel: string
  day: string
  kind: string
  attempt_no: string
  payment_no: string
  refund_no: string
}
export type DifferenceList = Page<DifferenceRow>
export type SettleAsk = DifferenceKey & { note: string }

/**
 * A row of `GET strays` (`mch_no`, `channel`, `settled`): money an upstream told of for an attempt nobody knows, what nobody
 * dealt with first. `POST strays/settle` takes its key and a note.
 */
export type StrayRow = StrayKey & {
  amount: string
  currency: string
  paid_at: string
  heard_at: string
  settled: boolean
  note: string | null
  settled_by: string | null
}
export type StrayKey = { mch_no: string; channel: string; attempt_no: string; payment_no: string }
export type StrayList = Page<StrayRow>
export type StraySettleAsk = StrayKey & { note: string }
