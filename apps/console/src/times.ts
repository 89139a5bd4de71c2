/** Ranges of time as filters hold them: texts in UTC+8, a whole day `2026-03-01` or a moment `2026-03-01 12:30:00`. */
import type { TextKey } from './preferences.tsx'

export const PRESETS = ['today', 'yesterday', 'last7Days', 'thisMonth', 'lastMonth'] as const satisfies TextKey[]
export type Preset = (typeof PRESETS)[number]

const DAY_MS = 86_400_000
/** The day in UTC+8 in which this moment lies. */
const dayAt = (ms: number): string => new Date(ms + 8 * 3_600_000).toISOString().slice(0, 10)
const monthBefore = (month: string): string => dayAt(Date.parse(`${month}-01T00:00:00+08:00`) - DAY_MS).slice(0, 7)

/** The first and the last day of a preset, at this moment. */
export function rangeOf(preset: Preset, nowMs: number): { from: string; until: string } {
  const today = dayAt(nowMs)
  const month = today.slice(0, 7)
  if (preset === 'today') return { from: today, until: today }
  if (preset === 'last7Days') return { from: dayAt(nowMs - 6 * DAY_MS), until: today }
  if (preset === 'thisMonth') return { from: `${month}-01`, until: today }
  if (preset === 'lastMonth') {
    const last = dayAt(Date.parse(`${month}-01T00:00:00+08:00`) - DAY_MS)
    return { from: `${monthBefore(month)}-01`, until: last }
  }
  const yesterday = dayAt(nowMs - DAY_MS)
  return { from: yesterday, until: yesterday }
}

/** The preset that this range is now; empty where it is none. */
export const presetOf = (range: { from?: string; until?: string }, nowMs: number): Preset | '' =>
  PRESETS.find((preset) => {
    const { from, until } = rangeOf(preset, nowMs)
    return from === range.from && until === range.until
  }) ?? ''

const MOMENT = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/

/** What the picker shows: the first or the last second of a whole day. */
export const shownAt = (text: string, end: 'from' | 'until'): string =>
  MOMENT.test(text) || text === '' ? text : `${text} ${end === 'from' ? '00:00:00' : '23:59:59'}`

/** The other way round: both ends of a day are the whole day. */
export function chosenAt(shown: string, end: 'from' | 'until'): string {
  const [, day = '', time = ''] = MOMENT.exec(shown) ?? []
  return time === '00:00:00' || (end === 'until' && time === '23:59:59') ? day : shown
}

/** What was typed, also without seconds or time: a day alone is the whole day. What is no time is kept, for the server to refuse. */
export function typedAt(typed: string, end: 'from' | 'until'): string {
  const text = typed.trim()
  return chosenAt(/^\d{4}-\d\d-\d\d \d\d:\d\d$/.test(text) ? `${text}:00` : text, end)
}

/** The moment at which the API lets the range begin, or end before: "until" takes in the whole second that is named. */
export function momentOf(text: string, end: 'from' | 'until'): string {
  const [, day = '', time = ''] = MOMENT.exec(shownAt(text, end)) ?? []
  const ms = Date.parse(`${day}T${time}+08:00`) + (end === 'until' ? 1000 : 0)
  return Number.isNaN(ms) ? text : new Date(ms).toISOString()
}
