/** An operator adds, changes, removes and tries alarm channels. */
import {
  type AlarmChannel,
  addAlarmChannel,
  alarmChannels,
  changeAlarmChannel,
  noteAlarmTest,
  removeAlarmChannel,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { type AlarmSettings, type Sent, sealAlarmSettings } from './send.ts'
import { sendSafely } from './tell.ts'

export type AlarmChannelAsk = { name: string; isEnabled: boolean; settings: AlarmSettings }

export const findAlarmChannel = async ({ pool }: World, channelId: string): Promise<AlarmChannel | null> =>
  (await alarmChannels(pool)).find((one) => one.channelId === channelId) ?? null

/** Its id; null when there are too many. */
export async function addChannel(world: World, { name, isEnabled, settings }: AlarmChannelAsk): Promise<string | null> {
  const channelId = `AC${world.newDigits(10)}`
  const settingsSealed = sealAlarmSettings(world, channelId, settings)
  const one = { channelId, kind: settings.kind, name, isEnabled, settingsSealed }
  return (await addAlarmChannel(world.pool, one, world.now())) ? channelId : null
}

/** False when there is none. */
export const changeChannel = (
  world: World,
  channelId: string,
  { name, isEnabled, settings }: AlarmChannelAsk,
): Promise<boolean> =>
  changeAlarmChannel(
    world.pool,
    { channelId, name, isEnabled, settingsSealed: sealAlarmSettings(world, channelId, settings) },
    world.now(),
  )

/** False when there is none. */
export const removeChannel = ({ pool }: World, channelId: string): Promise<boolean> =>
  removeAlarmChannel(pool, channelId)

/** Sends a message that says it is a test, and notes what was answered. */
export async function testChannel(world: World, channel: AlarmChannel): Promise<Sent & { ms: number }> {
  const startMs = world.steadyMs()
  const at = world.now()
  const message = {
    title: '翼辉支付 ACO Pay：测试 test',
    lines: [
      {
        ...{
          mark: '🔔',
          zh: `测试消息：告警会发到“${channel.name}”`,
          en: `A test: alarms are told to "${channel.name}"`,
        },
        links: [{ text: '管理台 console', url: world.consoleUrl('alarms') }],
      },
    ],
    news: [],
  }
  const sent = await sendSafely(world, channel, { id: world.newNonce(), message })
  await noteAlarmTest(world.pool, { channelId: channel.channelId, at, answer: sent.answer, isFine: sent.isTaken })
  return { ...sent, ms: world.steadyMs() - startMs }
}
