/** The page of figures. */

/**
 * `GET figures` (`from`, `until`: days in UTC+8, both included, at most 366; `mch_no`): the figures of these days, and of as many days
 * before them. Everything counts in the hour in which the gateway wrote it, so the figures of a time do not change once it is ten
 * minutes over. `GET figures.csv` takes also `part` (the name of one of the lists) and `language` (zh or en).
 */
export type FiguresPage = {
  from: string
  until: string
  /** The days before, to compare with. */
  before_from: string
  before_until: string
  /** When the newest hour was last counted; null before the first count. */
  at: string | null
  /** Since when there are figures: after an upgrade, older hours are counted by and by. */
  since: string | null
  total: FigureRow
  before: FigureRow
  /** By hours for up to two days, else by days. */
  step: 'hour' | 'day'
  by_time: (FigureRow & { at: string })[]
  by_channel: (FigureRow & { channel: string; method: string })[]
  /** By the hour of the day in UTC+8; all 24. */
  by_clock: (FigureRow & { hour: number })[]
  /** At most 50, those with the largest paid amount first; empty where the figures are of one merchant. */
  by_merchant: (FigureRow & { mch_no: string; name: string })[]
}

export const FIGURE_PARTS = ['by_time', 'by_channel', 'by_clock', 'by_merchant'] as const
export type FigurePart = (typeof FIGURE_PARTS)[number]

/** What was placed and closed belongs to no channel. */
export type FigureRow = {
  placed: number
  placed_amount: string
  paid: number
  paid_amount: string
  closed_by_merchant: number
  closed_by_expiry: number
  closed_by_operator: number
  closed_amount: string
  refunds: number
  refunded_amount: string
  /** Payments that the gateway returned by itself. */
  reversals: number
  reversed_amount: string
  /** Attempts of the orders that were paid or closed in this time; `paid` of them paid. */
  attempts: number
  /** From the opening of the paying attempt to its payment, in seconds, on average; null where nothing was paid. */
  pay_seconds: number | null
}
