/**
 * Tells the news to every alarm channel: one message for all that happened since the last one. A channel that fails is tried again, and
 * gets what happened meanwhile in the same message; it never delays another channel.
 */
import { notifyPauseMs } from '@acopay/core'
import { type AlarmChannel, alarmChannels, alarmNews, endAlarmTry, takeAlarmChannels } from '@acopay/store'
import type { World } from '../../world.ts'
import { messageOf } from './compose.ts'
import { alarmSettings, type Sent, sendAlarm } from './send.ts'

const TELL_RULES = {
  /** A channel is leased for longer than a post and the writing of its result take. */
  leaseMs: 60_000,
  /** WeCom and DingTalk take 20 messages a minute, and DingTalk closes a robot for ten minutes that sends more. */
  gapMs: 5_000,
  /** What comes after this many in an hour waits for the next hour and is told in one message. */
  perHour: 20,
  hourMs: 3_600_000,
  longestPauseMs: 30 * 60_000,
} as const

/** Of one message: more are told in the next one. */
const NEWS_AT_ONCE = 200

/** Returns how many channels were told, or tried. */
export async function tellAlarms(world: World): Promise<number> {
  const now = world.now()
  const taken = await takeAlarmChannels(world.pool, now, new Date(now.getTime() + TELL_RULES.leaseMs))
  if (taken.length === 0) return 0
  const all = await alarmChannels(world.pool)
  // One whose result cannot be written is tried again after its lease.
  await Promise.all(taken.map((one) => tellOne(world, one, all)))
  return taken.length
}

async function tellOne(world: World, channel: AlarmChannel, all: readonly AlarmChannel[]): Promise<void> {
  const news = await alarmNews(world.pool, channel.toldThrough, NEWS_AT_ONCE)
  const itself = (one: { kind: string; subject: string }): boolean =>
    one.kind === 'alarm-channel-failing' && one.subject === channel.channelId
  const others = news.filter((one) => !itself(one))
  const last = news.at(-1)
  if (last === undefined || others.length === 0) return
  const place = { consoleUrl: world.consoleUrl, channelName: nameIn(all) }
  const id = `${channel.channelId}-${last.number}`
  const sent = await sendSafely(world, channel, { id, message: messageOf(others, place) })
  const at = world.now()
  const isWritten = await endAlarmTry(world.pool, {
    channel,
    at,
    answer: sent.answer,
    toldThrough: sent.isTaken ? last.number : null,
    ...afterTry(channel, sent.isTaken, at),
  })
  const line = { channelId: channel.channelId, kind: channel.kind, news: others.length, isWritten, answer: sent.answer }
  if (sent.isTaken) world.log.info(line, 'alarms told')
  else world.log.error({ ...line, tries: channel.tries + 1 }, 'an alarm channel did not take the alarms')
}

export const nameIn =
  (all: readonly Pick<AlarmChannel, 'channelId' | 'name'>[]) =>
  (channelId: string): string =>
    all.find((one) => one.channelId === channelId)?.name ?? channelId

/** A channel whose settings no master key opens fails like one that does not answer. */
export async function sendSafely(
  world: World,
  channel: Pick<AlarmChannel, 'channelId' | 'settingsSealed'>,
  what: Parameters<typeof sendAlarm>[2],
): Promise<Sent> {
  try {
    return await sendAlarm(world, alarmSettings(world, channel), what)
  } catch (err) {
    world.log.error({ channelId: channel.channelId, err }, 'an alarm could not be sent')
    return {
      isTaken: false,
      answer: '设置无法读取，或消息无法生成 (the settings cannot be read, or no message be made)',
    }
  }
}

/** When the channel may be told again. */
function afterTry(
  { hourAt, hourSent, tries }: AlarmChannel,
  isTakenNow: boolean,
  at: Date,
): { hour: { at: Date; sent: number }; dueAt: Date } {
  const { hourMs, perHour, gapMs, longestPauseMs } = TELL_RULES
  const isNewHour = at.getTime() - hourAt.getTime() >= hourMs
  const hour = isNewHour ? { at, sent: 0 } : { at: hourAt, sent: hourSent }
  const later = (from: Date, ms: number): Date => new Date(from.getTime() + ms)
  if (!isTakenNow) {
    return { hour, dueAt: later(at, Math.min(longestPauseMs, notifyPauseMs(tries + 1) ?? longestPauseMs)) }
  }
  hour.sent += 1
  return { hour, dueAt: hour.sent >= perHour ? later(hour.at, hourMs) : later(at, gapMs) }
}
