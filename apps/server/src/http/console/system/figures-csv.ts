/** One list of the page of figures as a CSV file, its headings in the reader's language and its last line the total. */

import { timeText } from '@acopay/protocol'
import type { FigurePart, FigureRow, FiguresPage } from '@acopay/protocol/console'
import { csvLine, defused } from '../../../actions/bill/bill-csv.ts'

type Language = 'zh' | 'en'

const FIGURE_NAMES: Record<keyof FigureRow, Record<Language, string>> = {
  placed: { zh: '下单笔数', en: 'placed' },
  placed_amount: { zh: '下单金额', en: 'placed amount' },
  paid: { zh: '支付笔数', en: 'paid' },
  paid_amount: { zh: '支付金额', en: 'paid amount' },
  closed_by_merchant: { zh: '商户关单', en: 'closed by the merchant' },
  closed_by_expiry: { zh: '超时关单', en: 'closed by expiry' },
  closed_by_operator: { zh: '运营关单', en: 'closed by an operator' },
  closed_amount: { zh: '关单金额', en: 'closed amount' },
  refunds: { zh: '退款笔数', en: 'refunds' },
  refunded_amount: { zh: '退款金额', en: 'refunded amount' },
  reversals: { zh: '自动退回笔数', en: 'sent back' },
  reversed_amount: { zh: '自动退回金额', en: 'sent back amount' },
  attempts: { zh: '支付尝试', en: 'attempts' },
  pay_seconds: { zh: '平均付款秒数', en: 'seconds to pay' },
}
const FIGURE_KEYS = Object.keys(FIGURE_NAMES) as (keyof FigureRow)[]

/** The columns before the figures. */
const KEYS: Record<FigurePart, Record<string, Record<Language, string>>> = {
  by_time: { at: { zh: '时间', en: 'time' } },
  by_channel: { channel: { zh: '渠道', en: 'channel' }, method: { zh: '支付方式', en: 'method' } },
  by_clock: { hour: { zh: '时段', en: 'hour of the day' } },
  by_merchant: { mch_no: { zh: '商户号', en: 'merchant' }, name: { zh: '名称', en: 'name' } },
}

const TOTAL = { zh: '合计', en: 'total' }

type Keyed = FigureRow & Record<string, string | number | null>

export async function* figuresCsv(page: FiguresPage, part: FigurePart, language: Language): AsyncGenerator<string> {
  const keys = Object.entries(KEYS[part])
  const headings = [
    ...keys.map(([, names]) => names[language]),
    ...FIGURE_KEYS.map((one) => FIGURE_NAMES[one][language]),
  ]
  // The byte order mark tells spreadsheets that the file is UTF-8.
  yield `\uFEFF${csvLine(headings)}`
  for (const row of page[part] as Keyed[]) {
    yield csvLine([...keys.map(([key]) => cellOf(key, row[key])), ...FIGURE_KEYS.map((key) => String(row[key] ?? ''))])
  }
  // The list of merchants may be cut off, and what was placed and closed has no channel: only these two add up to the total.
  if (part !== 'by_time' && part !== 'by_clock') return
  yield csvLine([TOTAL[language], ...FIGURE_KEYS.map((key) => String(page.total[key] ?? ''))])
}

const cellOf = (key: string, value: string | number | null | undefined): string =>
  key === 'at' ? timeText(new Date(String(value))) : defused(String(value ?? ''))
