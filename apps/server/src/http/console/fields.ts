/** Reads the fields of a console call. The first wrong field is kept, with its name and what it should be. */
import { CHINA_MS, parseYuan } from '@acopay/core'
import { type Failed, failed } from './call.ts'

const PAGE_MAX = 100
const PAGE = 50

/** The call's fields. `say` notes that one is wrong, and answers null in its place. */
type Source = {
  /** Null for a field that is left out or empty. */
  given: (field: string) => unknown
  say: (field: string, zh: string, en: string) => null
}

/** Null stands for a field that is left out. After the last field, `failed` says whether all could be read. */
export function fieldsOf(from: Record<string, unknown>) {
  let wrong: Failed | null = null
  const source: Source = {
    given: (field) => {
      const value = from[field]
      return value === undefined || value === null || value === '' ? null : value
    },
    say: (field, zh, en) => {
      wrong ??= failed('FIELD_INVALID', `${field} ${zh}`, `${field} ${en}`, { field })
      return null
    },
  }
  const whole = wholeReader(source)
  const [time, bound] = [timeReader(source), boundReader(source)]
  return {
    text: textReader(source),
    needed: neededReader(source),
    word: wordReader(source),
    time,
    times: () => inOrder(source, { from: time('from'), until: time('until') }),
    day: dayReader(source),
    whole,
    yuan: yuanReader(source),
    amounts: () => amountsInOrder(source, { amountMin: bound('amount_min'), amountMax: bound('amount_max') }),
    yes: yesReader(source),
    say: source.say,
    /** `most`: of a caller inside, which reads longer pages. */
    limit: (most = PAGE_MAX): number => whole('limit', 1, most) ?? PAGE,
    failed: (): Failed | null => wrong,
  }
}

/**
 * The beginning of a field, for the audit log, which is written before the field is checked. Only text, numbers and yes or no have
 * one: an object may be made so that turning it into text fails.
 */
export const briefOf = (value: unknown, max: number): string =>
  ['string', 'number', 'boolean'].includes(typeof value) ? String(value).slice(0, max) : ''

/** At most `max` characters, without control characters. */
const textReader =
  ({ given, say }: Source) =>
  (field: string, max = 200): string | null => {
    const value = given(field)
    if (value === null) return null
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this refuses
    if (typeof value === 'string' && value.length <= max && !/[\u0000-\u001f\u007f]/.test(value)) return value
    return say(field, `应为至多${max}个字符的文字`, `should be text of at most ${max} characters`)
  }

const neededReader = (source: Source) => {
  const text = textReader(source)
  return (field: string, max = 200): string => {
    const value = text(field, max)
    if (value === null) source.say(field, '不能为空', 'is missing')
    return value ?? ''
  }
}

const wordReader =
  ({ given, say }: Source) =>
  <Word extends string>(field: string, words: readonly Word[]): Word | null => {
    const value = given(field)
    if (value === null) return null
    const known = words.find((candidate) => candidate === value)
    return known ?? say(field, `应为 ${words.join(' | ')}`, `should be one of ${words.join(' | ')}`)
  }

/** From 1970 to 9999, also in China: the database, JavaScript and the platform's numbers can all hold these times. */
const isSensible = (at: Date): boolean => at.getTime() >= 0 && at.getTime() < Date.UTC(10_000, 0) - CHINA_MS

/** `new Date` accepts 31 February as a day in March; the database refuses it. */
const isDay = (text: string): boolean => {
  const at = new Date(`${text}T00:00:00Z`)
  return isSensible(at) && at.toISOString().startsWith(text)
}

/** Without an offset it would be a time in the zone of the machine. */
const INSTANT = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

const timeReader =
  ({ given, say }: Source) =>
  (field: string): Date | null => {
    const value = given(field)
    if (value === null) return null
    const day = typeof value === 'string' ? INSTANT.exec(value)?.[1] : undefined
    const at = day !== undefined && isDay(day) ? new Date(String(value)) : null
    if (at !== null && isSensible(at)) return at
    return say(field, '应为带时区的 ISO 8601 时间', 'should be a time in ISO 8601 with its offset')
  }

const dayReader =
  ({ given, say }: Source) =>
  (field: string): string | null => {
    const value = given(field)
    if (value === null) return null
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\d$/.test(value) && isDay(value)) return value
    return say(field, '应为日期，如 2026-03-01', 'should be a day, like 2026-03-01')
  }

const wholeReader =
  ({ given, say }: Source) =>
  (field: string, min: number, max: number): number | null => {
    const value = given(field)
    if (value === null) return null
    const number = numberOf(value)
    if (Number.isInteger(number) && number >= min && number <= max) return number
    return say(field, `应为 ${min} 到 ${max} 的整数`, `should be a whole number from ${min} to ${max}`)
  }

/** A number, or its digits in a text; NaN for everything else. */
function numberOf(value: unknown): number {
  if (typeof value === 'number') return value
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
}

const yuanReader =
  ({ given, say }: Source) =>
  (field: string): bigint | null => {
    const value = given(field)
    if (value === null) return null
    const amount = typeof value === 'string' ? parseYuan(value) : null
    return amount ?? say(field, '应为两位小数的元，如"12.50"', 'should be yuan with two decimals, like "12.50"')
  }

/** The bound of a range of amounts, as people type it: also whole yuan, one decimal, or zero. */
const boundReader =
  ({ given, say }: Source) =>
  (field: string): bigint | null => {
    const value = given(field)
    if (value === null) return null
    const text = typeof value === 'number' ? String(value) : value
    const found = typeof text === 'string' ? /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(text) : null
    if (found !== null) return BigInt(`${found[1]}${(found[2] ?? '').padEnd(2, '0')}`)
    return say(field, '应为至多两位小数的元，如"100"或"12.50"', 'should be yuan, like "100" or "12.50"')
  }

type Times = { from: Date | null; until: Date | null }

/** A range that ends before it begins would show an empty list without a word. */
function inOrder({ say }: Source, times: Times): Times {
  const { from, until } = times
  if (from !== null && until !== null && until < from)
    say('until', '不能早于开始时间', 'should not be before the start')
  return times
}

type Amounts = { amountMin: bigint | null; amountMax: bigint | null }

function amountsInOrder({ say }: Source, amounts: Amounts): Amounts {
  const { amountMin, amountMax } = amounts
  if (amountMin !== null && amountMax !== null && amountMax < amountMin) {
    say('amount_max', '不能小于最小金额', 'should not be less than the smallest amount')
  }
  return amounts
}

const yesReader =
  ({ given, say }: Source) =>
  (field: string): boolean | null => {
    const value = given(field)
    if (value === null || typeof value === 'boolean') return value
    return say(field, '应为 true 或 false', 'should be true or false')
  }
