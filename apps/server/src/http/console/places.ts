/** Pages of lists. A page's `next` names a place in the list; the following page is asked for with it as `after`. */
import { type ConsoleCall, Failed, merchantOf } from './call.ts'
import { fieldsOf } from './fields.ts'

/** The first page of the rows that were found. One row more than a page shows that there is a next page. */
export const pageOf = <Row>(found: Row[], limit: number, placeOf: (row: Row) => string) => {
  const rows = found.slice(0, limit)
  const last = found.length > limit ? rows.at(-1) : undefined
  return { rows, next: last === undefined ? null : placeOf(last) }
}

/** The filter of lists by day: the merchant, and the place after which the page begins, `day.mch_no.channel`. */
export function dayFilterOf({ caller, query, pageMax }: ConsoleCall) {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const [day = '', ofMerchant = '', channel = ''] = read.text('after', 80)?.split('.') ?? []
  const isPlace = fieldsOf({ day }).day('day') !== null
  if (day !== '' && !isPlace) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const filter = { mchNo, before: day === '' ? null : { day, mchNo: ofMerchant, channel }, limit: read.limit(pageMax) }
  return read.failed() ?? filter
}

/** A place whose parts may hold any text, such as an upstream's numbers. */
export const placeText = (parts: string[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

/** The `count` parts of a place; null where the text is not such a place. A place is at most `PLACE_MAX` long. */
export function placeParts(text: string, count: number): string[] | null {
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
    if (!Array.isArray(parts) || parts.length !== count) return null
    // PostgreSQL cannot store this one character.
    const isPart = (part: unknown): part is string => typeof part === 'string' && !part.includes('\u0000')
    return parts.every(isPart) ? parts : null
  } catch {
    return null
  }
}

export const PLACE_MAX = 1000
