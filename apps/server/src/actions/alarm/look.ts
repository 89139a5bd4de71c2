/** Looks at what is wrong, opens and ends alarms, and writes the news: by one process at a time, in one transaction. */
import {
  alarmConditions,
  forgetAlarms,
  openAlarms,
  type Pool,
  type Reach,
  seeAlarms,
  stepAlarms,
  takeAlarmWatch,
  transaction,
} from '@acopay/store'
import type { AlarmLine } from '../../metrics/alarm-lines.ts'
import type { Sign } from '../../metrics/process-signs.ts'
import type { World } from '../../world.ts'
import { ALARM_RULES, decideAlarms } from './decide-alarms.ts'
import { KNOWN_OTHERWISE } from './kinds.ts'

/** How often one of the processes looks. */
export const LOOK_MS = 10_000
/** As `AcopayStuck` says it: ten minutes in a state that should pass in seconds, and fifteen more. */
const STUCK_MS = 25 * 60_000
/** Three tries of a channel. */
const FAILING_MS = 30_000
const KEPT_MS = 90 * 24 * 3_600_000
const FORGOTTEN_AT_ONCE = 500

const flapAfter = (now: Date): Date => new Date(now.getTime() - ALARM_RULES.flapMs)

/** Notes what this process alone has seen: lines of its log, and signs in its counters. */
export async function noteOwnAlarms(
  { pool }: World,
  { lines, signs }: { lines: AlarmLine[]; signs: Sign[] },
  now: Date,
): Promise<void> {
  const events = lines
    .filter(({ message }) => !KNOWN_OTHERWISE.has(message))
    .map(({ message, count, examples }) => ({ kind: 'alarm', subject: message, found: count, examples }))
  const states = signs.map((sign) => ({ ...sign, found: 1, examples: [] }))
  await seeAlarms(pool, events, { now, flapAfter: flapAfter(now), areEvents: true })
  await seeAlarms(pool, states, { now, flapAfter: flapAfter(now), areEvents: false })
}

/** Returns how many alarms took a step; 0 where another process looks. */
export const lookForAlarms = ({ pool, overAll }: World, now: Date): Promise<number> =>
  overAll(({ reach }) => lookOver(pool, now, reach))

const lookOver = (pool: Pool, now: Date, reach: Reach): Promise<number> =>
  transaction(pool, async (db) => {
    if (!(await takeAlarmWatch(db, now, new Date(now.getTime() + LOOK_MS)))) return 0
    const ago = (ms: number): Date => new Date(now.getTime() - ms)
    const found = await alarmConditions(db, { stuckSince: ago(STUCK_MS), failingSince: ago(FAILING_MS), reach })
    await seeAlarms(db, found, { now, flapAfter: flapAfter(now), areEvents: false })
    // No alarm is cleared while some merchants cannot be read: theirs may go on.
    const steps = decideAlarms(await openAlarms(db), now).filter(({ what }) => reach === null || what !== 'cleared')
    await stepAlarms(db, steps, now)
    await forgetAlarms(db, ago(KEPT_MS), FORGOTTEN_AT_ONCE)
    return steps.length
  })
