/** The overview, and the pages for finance: bills, reconciliation, unmatched payments. */
import type { Page } from './session.ts'

/**
 * `GET overview` (`mch_no`): today in UTC+8, the last 24 hours by hour and the last 30 days by day. An hour counts what
 * was written in it; the current hour is counted anew every 15 seconds. `at` is the time of the last count.
 */
export type Overview = {
  /** Null before the first count. */
  at: string | null
  today: Volume
  yesterday: Volume
  hours: (Volume & { from: string })[]
  days: (Volume & { from: string })[]
  /**
   * For more than ten minutes in a state that should last seconds; the lists call them STUCK. `expired`: unpaid orders
   * that expired that long ago and are not closed. `jobs`: those of `GET jobs`. Each is counted up to 10 000.
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
  /** The attempts of the last hour, the paid ones, and those whose create the upstream has not answered yet. */
  channels: { channel: string; attempts: number; paid: number; in_doubt: number }[]
  unsettled_differences: number
  unmatched_payments: number
  /**
   * The clock of the gateway that answers: by how many seconds it is ahead of another one, so that nothing expires; negative
   * where it is behind. Null while it is right.
   */
  clock: { against: 'steady clock' | 'database'; ahead_s: number } | null
  /** Open alarms, and enabled alarm channels that fail; null for users who may not read alarms. */
  alarms: { open: number; failing_channels: number } | null
}

/**
 * A row of `GET jobs` (`mch_no`), the oldest first: a job that has been due for more than ten minutes and that no
 * process has taken, or one that is older than that and has failed three times. Jobs that watch closed attempts for
 * late payments repeat anyway, and count only when they are overdue.
 */
export type StuckJobRow = {
  mch_no: string
  kind: string
  /** The job's object: a number or a day. */
  subject: string
  /** The job's order; null when it has none. */
  transaction_no: string | null
  tries: number
  /** When the job is tried next. */
  due_at: string
  created_at: string
}
export type StuckJobList = Page<StuckJobRow>

export type Volume = {
  placed: number
  paid: number
  paid_amount: string
  /** Closed orders, by the reason of the close. */
  closed_by_merchant: number
  closed_by_expiry: number
  closed_by_operator: number
  refunds: number
  refunded_amount: string
  /** Payments that the gateway returned by itself. */
  reversals: number
  reversed_amount: string
}

/** A row of `GET bills` (`mch_no`). `GET bills/{mch_no}/{bill_day}/link` answers `{ url }`, valid for half an hour. */
export type BillRow = {
  mch_no: string
  bill_day: string
  lines: number
  size_bytes: number
  /** SHA-256 of the file, in lower-case hex; kept when the file is deleted. */
  sha256: string | null
  made_at: string
  /** Whether the file can still be downloaded. */
  has_file: boolean
}
export type BillList = Page<BillRow>

/** `GET bills/{mch_no}/{bill_day}/comparison`: the gateway's bill beside the upstreams' of the same day, by channel. */
export type BillComparison = BillRow & { channels: ComparedChannel[] }
export type ComparedChannel = {
  channel: string
  /** Null when the bill has more than 500 000 lines, which are not added up here; see the bill's TOTAL lines. */
  ours: {
    paid: CountedAmount
    refunded: CountedAmount
    /** The part of `paid` that was paid on an earlier day, and that the gateway learned of after that day's bill. */
    earlier: CountedAmount
    /** Paid on this day, but in a later bill of the gateway for the same reason. The upstream counts it on this day. */
    later: CountedAmount
  } | null
  /** Null before the upstream's bill is fetched. */
  theirs: {
    lines: number
    /** Null when an older version of the gateway read the bill. */
    paid: CountedAmount | null
    refunded: CountedAmount | null
    differences: number
    unsettled: number
    done_at: string
  } | null
}
export type CountedAmount = { count: number; amount: string }

/** A row of `GET reconciliations` (`mch_no`): one upstream bill, compared with the gateway's records. */
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

/**
 * A row of `GET differences` (`mch_no`, `channel`, `day`, `settled` true or false), the unsettled first.
 * `POST differences/settle` takes its key and a note.
 */
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
 * A row of `GET unmatched-payments` (`mch_no`, `channel`, `settled`), the unsettled first: a payment that an upstream reported for
 * an attempt unknown to the gateway. `POST unmatched-payments/settle` takes its key and a note.
 */
export type UnmatchedRow = UnmatchedKey & {
  amount: string
  currency: string
  paid_at: string
  reported_at: string
  settled: boolean
  note: string | null
  settled_by: string | null
}
export type UnmatchedKey = { mch_no: string; channel: string; attempt_no: string; payment_no: string }
export type UnmatchedList = Page<UnmatchedRow>
export type UnmatchedSettleAsk = UnmatchedKey & { note: string }
