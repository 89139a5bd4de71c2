/** Sandbox mode only: the moments to which the clock is moved, as users write them. */
import { dayBounds, dayOf } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import type { World } from '../world.ts'

/** A refusal, in both languages. */
export type Told = { zh: string; en: string }

const STEP = /^\+(?=\d)(?:(\d{1,5})d)?(?:(\d{1,5})h)?(?:(\d{1,5})m)?(?:(\d{1,5})s)?$/
const MOMENT = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)?$/

/** When all bills of the day before are there. */
const TOMORROW_MS = 10.5 * 3_600_000

const DAY_MS = 86_400_000
const ONE_MOVE_MAX_MS = 366 * DAY_MS
const AHEAD_MAX_MS = 3660 * DAY_MS

const TOO_FAR: Told = {
  zh: '一次最多快进366天，合计最多3660天',
  en: 'The clock moves at most 366 days at a time, and 3660 days in all',
}

const UNREADABLE: Told = {
  zh: 'to 应为 +1d、+2h30m、tomorrow（次日10:30）或 2026-12-01T09:00（未写时区即北京时间）',
  en: 'to should be +1d, +2h30m, tomorrow (10:30 of the next day) or 2026-12-01T09:00, which is in UTC+8 unless it says otherwise',
}

/** The moment in milliseconds since 1970, after now; else why not. */
export function readMoment(text: unknown, clock: Pick<World, 'now' | 'aheadMs'>): number | Told {
  if (typeof text !== 'string') return UNREADABLE
  const now = clock.now()
  const written = text.trim()
  const ms = stepMs(written)
  const atMs = ms === null ? momentMs(written, now) : now.getTime() + ms
  if (atMs === null) return UNREADABLE
  const byMs = atMs - now.getTime()
  if (byMs <= 0) return notBack(now)
  return byMs > ONE_MOVE_MAX_MS || clock.aheadMs() + byMs > AHEAD_MAX_MS ? TOO_FAR : atMs
}

const notBack = (now: Date): Told => ({
  zh: `沙箱的时钟只能向前，现在是 ${timeText(now)}；要回到真实时间，请新建沙箱`,
  en: `The sandbox's clock only goes forward, and it is ${timeText(now)}. To come back to the real time, begin a fresh sandbox`,
})

/** Null for a text that is no step. */
function stepMs(text: string): number | null {
  const found = STEP.exec(text)
  if (found === null) return null
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = found.slice(1).map((part) => Number(part ?? 0))
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000
}

/** Null for a text that is no moment, or none that there is. */
function momentMs(text: string, now: Date): number | null {
  if (text === 'tomorrow') return dayBounds(dayOf(now.getTime())).untilMs + TOMORROW_MS
  const found = MOMENT.exec(text)
  if (found === null) return null
  const [, day = '', time = '', zone = '+08:00'] = found
  const atMs = Date.parse(`${day}T${time}${zone}`)
  // Date.parse takes the 31st of a month of 30 days for the first of the next.
  const isADay = new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day) ?? false
  return Number.isNaN(atMs) || !isADay ? null : atMs
}
