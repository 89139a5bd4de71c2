/** Where alarms are told. Their settings are sealed: an address of a robot is itself a secret. */
import { type Db, run } from '../db.ts'

export const ALARM_CHANNEL_KINDS = ['mail', 'webhook', 'wecom', 'dingtalk', 'feishu'] as const
export type AlarmChannelKind = (typeof ALARM_CHANNEL_KINDS)[number]

export type AlarmChannel = {
  channelId: string
  kind: AlarmChannelKind
  name: string
  settingsSealed: Buffer
  isEnabled: boolean
  createdAt: Date
  changedAt: Date
  toldThrough: bigint
  dueAt: Date
  tries: number
  hourAt: Date
  hourSent: number
  triedAt: Date | null
  lastAnswer: string | null
  failingFrom: Date | null
}

const COLUMNS = `channel_id as "channelId", kind, name, settings_sealed as "settingsSealed", enabled as "isEnabled",
  created_at as "createdAt", changed_at as "changedAt", told_through as "toldThrough", due_at as "dueAt", tries,
  hour_at as "hourAt", hour_sent as "hourSent", tried_at as "triedAt", last_answer as "lastAnswer", failing_from as "failingFrom"`

/** At most so many are made: an operator has a few. */
export const ALARM_CHANNELS_MAX = 50

export const alarmChannels = (db: Db): Promise<AlarmChannel[]> =>
  run(db, 'alarmChannels', `select ${COLUMNS} from alarm_channel order by created_at, channel_id limit $1`, [
    ALARM_CHANNELS_MAX,
  ])

export type NewAlarmChannel = Pick<AlarmChannel, 'channelId' | 'kind' | 'name' | 'settingsSealed' | 'isEnabled'>

/** It is told what happens from now on. False when there are ALARM_CHANNELS_MAX. */
export async function addAlarmChannel(db: Db, one: NewAlarmChannel, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'addAlarmChannel',
    `insert into alarm_channel (channel_id, kind, name, settings_sealed, enabled, created_at, changed_at, told_through,
                                due_at, tries, hour_at, hour_sent)
     select $1, $2, $3, $4, $5, $6, $6, coalesce((select max(number) from alarm_news), 0), $6, 0, $6, 0
      where (select count(*) from alarm_channel) < $7 returning 1`,
    [one.channelId, one.kind, one.name, one.settingsSealed, one.isEnabled, now, ALARM_CHANNELS_MAX],
  )
  return rows.length === 1
}

/**
 * False when there is none. What it failed at is over: it is tried at once. One that was turned off is told what happens from now
 * on.
 */
export async function changeAlarmChannel(
  db: Db,
  one: Pick<AlarmChannel, 'channelId' | 'name' | 'settingsSealed' | 'isEnabled'>,
  now: Date,
): Promise<boolean> {
  const rows = await run(
    db,
    'changeAlarmChannel',
    `update alarm_channel
        set name = $2, settings_sealed = $3, enabled = $4, changed_at = $5, due_at = $5, tries = 0, failing_from = null,
            told_through = case when $4 and not enabled then coalesce((select max(number) from alarm_news), 0)
                                else told_through end
      where channel_id = $1 returning 1`,
    [one.channelId, one.name, one.settingsSealed, one.isEnabled, now],
  )
  return rows.length === 1
}

export async function removeAlarmChannel(db: Db, channelId: string): Promise<boolean> {
  const rows = await run(db, 'removeAlarmChannel', 'delete from alarm_channel where channel_id = $1 returning 1', [
    channelId,
  ])
  return rows.length === 1
}

/** The kind of alarm that a channel is not told about itself. */
const OF_ITSELF = 'alarm-channel-failing'

/** Leases the channels that have something to tell, until `leaseUntil`. One statement: no lock outlives it. */
export const takeAlarmChannels = (db: Db, now: Date, leaseUntil: Date): Promise<AlarmChannel[]> =>
  run(
    db,
    'takeAlarmChannels',
    `update alarm_channel c set due_at = $2
      where c.channel_id in (
        select d.channel_id from alarm_channel d
         where d.enabled and d.due_at <= $1
           and exists (select from alarm_news n
                        where n.number > d.told_through and not (n.kind = '${OF_ITSELF}' and n.subject = d.channel_id))
         order by d.due_at for update skip locked)
      returning ${COLUMNS}`,
    [now, leaseUntil],
  )

export type AlarmTry = {
  /** As it was leased: a result that comes after the lease counts only where no other process has the channel. */
  channel: AlarmChannel
  at: Date
  answer: string
  /** Null where the channel did not take the message. */
  toldThrough: bigint | null
  hour: { at: Date; sent: number }
  dueAt: Date
}

/** False when the channel was changed or taken by another process meanwhile. */
export async function endAlarmTry(
  db: Db,
  { channel, at, answer, toldThrough, hour, dueAt }: AlarmTry,
): Promise<boolean> {
  const rows = await run(
    db,
    'endAlarmTry',
    `update alarm_channel
        set told_through = coalesce($3, told_through), tries = case when $3::bigint is null then tries + 1 else 0 end,
            failing_from = case when $3::bigint is null then coalesce(failing_from, $4) end,
            tried_at = $4, last_answer = $5, hour_at = $6, hour_sent = $7, due_at = $8
      where channel_id = $1 and due_at = $2 returning 1`,
    [channel.channelId, channel.dueAt, toldThrough, at, answer, hour.at, hour.sent, dueAt],
  )
  return rows.length === 1
}

/** What a try by hand was answered. It does not count as a message. */
export async function noteAlarmTest(
  db: Db,
  { channelId, at, answer, isFine }: { channelId: string; at: Date; answer: string; isFine: boolean },
): Promise<void> {
  await run(
    db,
    'noteAlarmTest',
    `update alarm_channel
        set tried_at = $2, last_answer = $3, failing_from = case when $4 then null else failing_from end,
            tries = case when $4 then 0 else tries end, due_at = case when $4 and tries > 0 then least(due_at, $2) else due_at end
      where channel_id = $1`,
    [channelId, at, answer, isFine],
  )
}

/** What the overview and /metrics say. `failing`: enabled channels whose last try failed. */
export async function alarmHealth(db: Db): Promise<{ open: number; failing: number }> {
  const rows = await run<{ open: number; failing: number }>(
    db,
    'alarmHealth',
    `select (select count(*)::int from alarm where cleared_at is null) as open,
            (select count(*)::int from alarm_channel where enabled and failing_from is not null) as failing`,
    [],
  )
  return rows[0] ?? { open: 0, failing: 0 }
}
