/** Open and past alarms, and the news of them. */
import { type Db, run } from '../db.ts'

/** An object that an alarm is about. `number`: of an order, a refund, an attempt, or a day. */
export type AlarmExample = { mchNo: string; number: string }

/** Something that is wrong: `found` rows now, or an event so often. No two of a list have the same kind and subject. */
export type SeenAlarm = { kind: string; subject: string; found: number; examples: AlarmExample[] }

export type AlarmKey = { kind: string; subject: string; raisedAt: Date }
export type Alarm = AlarmKey & {
  seenAt: Date
  found: number
  examples: AlarmExample[]
  toldAt: Date | null
  toldFound: number | null
  flaps: number
  clearedAt: Date | null
}

export type AlarmWord = 'raised' | 'again' | 'more' | 'cleared'
export type AlarmNews = AlarmKey & {
  number: bigint
  at: Date
  what: AlarmWord
  found: number
  examples: AlarmExample[]
}

/** Adding stops here, far below what an integer holds. */
const FOUND_MAX = 1_000_000

const COLUMNS = `kind, subject, raised_at as "raisedAt", seen_at as "seenAt", found, examples, told_at as "toldAt",
  told_found as "toldFound", flaps, cleared_at as "clearedAt"`

const withExamples = <Row extends { examples: string }>(row: Row) => ({
  ...row,
  examples: JSON.parse(row.examples) as AlarmExample[],
})

/**
 * True for one process in each period: the caller looks, in the transaction of this statement. Locks the row until the transaction
 * ends, and does not wait for another process that looks.
 */
export async function takeAlarmWatch(db: Db, now: Date, nextAt: Date): Promise<boolean> {
  const rows = await run(
    db,
    'takeAlarmWatch',
    `update alarm_watch set due_at = $2
      where is_only = (select is_only from alarm_watch where due_at <= $1 for update skip locked) returning 1`,
    [now, nextAt],
  )
  return rows.length === 1
}

/**
 * Opens what is not open yet, and notes for the rest that it still holds. `flapAfter`: what ended after it is back. Events are added
 * to those that were seen before.
 */
export async function seeAlarms(
  db: Db,
  seen: SeenAlarm[],
  { now, flapAfter, areEvents }: { now: Date; flapAfter: Date; areEvents: boolean },
): Promise<void> {
  if (seen.length === 0) return
  await run(
    db,
    'seeAlarms',
    `insert into alarm (kind, subject, raised_at, seen_at, found, examples, flaps)
     select s.kind, s.subject, $5, $5, s.found, s.examples,
            coalesce((select p.flaps + 1 from alarm p
                       where p.kind = s.kind and p.subject = s.subject and p.cleared_at > $6
                       order by p.cleared_at desc limit 1), 0)
       from unnest($1::text[], $2::text[], $3::integer[], $4::text[]) as s (kind, subject, found, examples)
     on conflict (kind, subject) where cleared_at is null do update
        set seen_at = greatest(alarm.seen_at, excluded.seen_at), examples = excluded.examples,
            found = excluded.found + case when $7 then least(alarm.found, ${FOUND_MAX}) else 0 end`,
    [
      seen.map((one) => one.kind),
      seen.map((one) => one.subject),
      seen.map((one) => one.found),
      seen.map((one) => JSON.stringify(one.examples)),
      now,
      flapAfter,
      areEvents,
    ],
  )
}

export async function openAlarms(db: Db): Promise<Alarm[]> {
  const text = `select ${COLUMNS} from alarm where cleared_at is null order by raised_at, kind, subject limit 1000`
  return (await run<Alarm & { examples: never }>(db, 'openAlarms', text, [])).map(withExamples)
}

export type AlarmStep = { alarm: Alarm; what: AlarmWord; isTold: boolean }

/** Writes what was decided of open alarms, and the news of it. Call it in the transaction that holds the watch. */
export async function stepAlarms(db: Db, steps: AlarmStep[], now: Date): Promise<void> {
  if (steps.length === 0) return
  const keys = [
    steps.map(({ alarm }) => alarm.kind),
    steps.map(({ alarm }) => alarm.subject),
    steps.map(({ alarm }) => alarm.raisedAt),
    steps.map(({ what }) => what),
    steps.map(({ isTold }) => isTold),
    now,
  ]
  await run(
    db,
    'stepAlarms',
    `with step as (
       select * from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::boolean[]) with ordinality
         as t (kind, subject, raised_at, what, is_told, place)),
     moved as (
       update alarm a
          set told_at = case when s.is_told then $6 else a.told_at end,
              told_found = case when s.is_told then a.found else a.told_found end,
              cleared_at = case when s.what = 'cleared' then $6::timestamptz end
         from step s
        where a.kind = s.kind and a.subject = s.subject and a.raised_at = s.raised_at and a.cleared_at is null
        returning a.kind, a.subject, a.raised_at, a.found, a.examples, s.what, s.is_told, s.place)
     insert into alarm_news (number, at, what, kind, subject, raised_at, found, examples)
     select coalesce((select max(number) from alarm_news), 0) + row_number() over (order by place), $6, what, kind, subject,
            raised_at, found, examples
       from moved where is_told`,
    keys,
  )
}

/** The news after number `after`, the oldest first. */
export async function alarmNews(db: Db, after: bigint, limit: number): Promise<AlarmNews[]> {
  const rows = await run<AlarmNews & { examples: never }>(
    db,
    'alarmNews',
    `select number, at, what, kind, subject, raised_at as "raisedAt", found, examples
       from alarm_news where number > $1 order by number limit $2`,
    [after, limit],
  )
  return rows.map(withExamples)
}

export type AlarmPlace = { isOpen: boolean; raisedAt: Date; kind: string; subject: string }

/** The open ones first, then those that ended; the newest first in each part. */
export async function listAlarms(db: Db, after: AlarmPlace | null, limit: number): Promise<Alarm[]> {
  const rows = await run<Alarm & { examples: never }>(
    db,
    'listAlarms',
    `select ${COLUMNS} from alarm
      where $1::boolean is null or ((cleared_at is null), raised_at, kind, subject) < ($1, $2::timestamptz, $3::text, $4::text)
      order by (cleared_at is null) desc, raised_at desc, kind desc, subject desc limit $5`,
    [after?.isOpen, after?.raisedAt, after?.kind, after?.subject, limit],
  )
  return rows.map(withExamples)
}

/** Removes ended alarms and news from before `before`, at most `limit` of each. The last news stays, for the next number. */
export async function forgetAlarms(db: Db, before: Date, limit: number): Promise<void> {
  await run(
    db,
    'forgetAlarms',
    `with old as (
       delete from alarm a using (select kind, subject, raised_at from alarm where cleared_at < $1 limit $2) o
        where a.kind = o.kind and a.subject = o.subject and a.raised_at = o.raised_at)
     delete from alarm_news where number in (
       select number from alarm_news
        where at < $1 and number < (select max(number) from alarm_news) order by number limit $2)`,
    [before, limit],
  )
}
