/** What stands in addresses: the filters of a list, and the query of a call to the API. All values are texts. */
import { momentOf } from './times.ts'

export type Values = Record<string, string>

/** The query `?a=1&b=2` of these values; empty values are left out. */
export function search(values: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

// Order numbers have more digits than a float can hold, so everything in an address stays text.
export const readSearch = (text: string): Values => Object.fromEntries(new URLSearchParams(text))

/** Filters are texts in the address, so that users can send a link to what they see. */
export const asTexts = (values: Record<string, unknown>): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))

/** Without the values that are empty: an address names only filters that choose something. */
export const chosen = (values: Values): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value))

/** The filters as the API expects them: days and times of UTC+8 become moments. */
export const asked = (values: Values): Values => ({
  ...values,
  ...(values.from ? { from: momentOf(values.from, 'from') } : {}),
  ...(values.until ? { until: momentOf(values.until, 'until') } : {}),
})

/** A position in a list: the filters, the place after which the page begins, and the places of the pages before. */
export type Place = { values: Values; after: string; trail: string[] }

export const pageForth = ({ values, after, trail }: Place, next: string): { search: Values; trail: string[] } => ({
  search: chosen({ ...values, after: next }),
  trail: [...trail, after],
})

/** A user who came by a link has no pages before; there, "back" goes to the first page. */
export const pageBack = ({ values, trail }: Place): { search: Values; trail: string[] } => ({
  search: chosen({ ...values, after: trail.at(-1) ?? '' }),
  trail: trail.slice(0, -1),
})
