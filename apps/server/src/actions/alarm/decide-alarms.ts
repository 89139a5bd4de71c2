/** What is done about open alarms at a moment: pure, so that its rules can be tried by the thousand. */
import type { Alarm, AlarmStep } from '@acopay/store'
import { kindOf } from './kinds.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export const ALARM_RULES = {
  /** What is raised within this time is told in one message. */
  groupMs: 20_000,
  /** An alarm that lasts is told again after this long. */
  againMs: { page: 4 * HOUR, ticket: 24 * HOUR },
  /** An alarm whose count has grown tenfold is told at once, but no sooner after the last time. */
  moreTimes: 10,
  moreAfterMs: 10 * MINUTE,
  /** One that is back within an hour after its end flaps: then it is over only after this long. */
  flapMs: HOUR,
  flapQuietMs: 30 * MINUTE,
} as const

/** The steps, in the order in which they are told. */
export function decideAlarms(open: readonly Alarm[], now: Date): AlarmStep[] {
  const nowMs = now.getTime()
  const isRipe = (alarm: Alarm): boolean => nowMs - alarm.raisedAt.getTime() >= ALARM_RULES.groupMs
  // The first that is ripe takes along those that came after it.
  const raises = open.some((alarm) => alarm.toldAt === null && isRipe(alarm))
  return open.flatMap((alarm): AlarmStep[] => {
    if (nowMs - alarm.seenAt.getTime() >= quietMsOf(alarm)) {
      return [{ alarm, what: 'cleared', isTold: alarm.toldAt !== null }]
    }
    if (alarm.toldAt === null) return raises ? [{ alarm, what: 'raised', isTold: true }] : []
    const what = lasting(alarm, alarm.toldAt, nowMs)
    return what === null ? [] : [{ alarm, what, isTold: true }]
  })
}

const quietMsOf = ({ kind, flaps }: Alarm): number =>
  flaps === 0 ? kindOf(kind).quietMs : Math.max(kindOf(kind).quietMs, ALARM_RULES.flapQuietMs)

/** What there is to say of an alarm that was told and goes on; null for nothing. */
function lasting(alarm: Alarm, toldAt: Date, nowMs: number): 'again' | 'more' | null {
  // An event that has not happened since it was told is no news.
  if (alarm.seenAt.getTime() <= toldAt.getTime()) return null
  const sinceMs = nowMs - toldAt.getTime()
  if (sinceMs >= ALARM_RULES.againMs[kindOf(alarm.kind).severity]) return 'again'
  const isMore = alarm.found >= ALARM_RULES.moreTimes * Math.max(1, alarm.toldFound ?? 1)
  return isMore && sinceMs >= ALARM_RULES.moreAfterMs ? 'more' : null
}
