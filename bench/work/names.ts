/** The names of what is measured, as options and tables have them. */

/** In the two languages of the pages. */
export type Text = { en: string; zh: string }

export const WORK_NAMES = ['close', 'place', 'query', 'attended', 'notification', 'mixed', 'sweep'] as const
export type WorkName = (typeof WORK_NAMES)[number]

export const TITLES: Record<WorkName, Text> = {
  close: { en: 'close, no attempt', zh: '关单，没有支付尝试' },
  place: { en: 'place', zh: '下单' },
  query: { en: 'query', zh: '查询' },
  attended: { en: 'close, one open attempt', zh: '关单，有一个打开的支付尝试' },
  notification: { en: 'notification', zh: '通知' },
  mixed: { en: 'mixed day', zh: '混合的一天' },
  sweep: { en: 'lapsed order swept', zh: '过期订单的清理' },
}

/** Of 1000 that were asked for: dear work is measured on less of it, and the sweep, which begins within a second, on more. */
const PER_1000: Record<WorkName, number> = {
  ...{ close: 1000, place: 1000, query: 1000, attended: 250, notification: 500, mixed: 500, sweep: 3000 },
}
const LEAST = 10

export const countOf = (name: WorkName, orders: number): number =>
  Math.max(LEAST, Math.round((orders * PER_1000[name]) / 1000))
