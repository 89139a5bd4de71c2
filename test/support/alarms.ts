/** Alarms in a world whose clock the test moves: a channel for each kind of robot, and a count of seconds until it hears something. */
import { addChannel } from '../../apps/server/src/actions/alarm/alarm-channels.ts'
import { type AlarmWatch, alarmWatch } from '../../apps/server/src/jobs/alarm-watch.ts'
import type { World } from '../../apps/server/src/world.ts'
import { type AlarmReceiver, alarmReceiver, type Robot } from './alarm-receivers.ts'
import type { TestWorld } from './world.ts'

export const SECRETS: Record<Robot, string> = {
  wecom: '',
  dingtalk: 'SEC0123456789abcdef',
  feishu: 'feishu-secret',
  webhook: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
}

/** The worker's pause between two looks. */
const LOOK_S = 10

export type Alarms = {
  watch: AlarmWatch
  /** Adds a receiver of this kind, and a channel to it. */
  channel: (robot: Robot, name?: string) => Promise<AlarmReceiver & { channelId: string }>
  /** Looks so often, ten seconds apart. `meanwhile`: before each look. */
  look: (times: number, meanwhile?: () => Promise<unknown>) => Promise<void>
  /** Seconds until the receiver has heard this from now on; the first `skipS` pass at once. Throws an hour later. */
  secondsUntil: (receiver: AlarmReceiver, says: RegExp, skipS?: number) => Promise<number>
  stop: () => Promise<void>
}

/** `world`: another one than the gateway's, with a database that the test takes away. */
export function alarmsOf(gateway: TestWorld, world: World = gateway.world): Alarms {
  const watch = alarmWatch(world)
  const open: AlarmReceiver[] = []
  const look: Alarms['look'] = async (times, meanwhile = async () => {}) => {
    for (let time = 0; time < times; time += 1) {
      gateway.advance(LOOK_S * 1000)
      await meanwhile()
      await watch.round()
    }
  }
  return {
    watch,
    look,
    async channel(robot, name = robot) {
      const receiver = await alarmReceiver(robot, SECRETS[robot], () => world.now().getTime())
      open.push(receiver)
      const settings = { kind: robot, url: receiver.url, secret: SECRETS[robot] }
      const channelId = await addChannel(world, { name, isEnabled: true, settings })
      if (channelId === null) throw new Error('the channel was not added')
      return Object.assign(receiver, { channelId })
    },
    async secondsUntil(receiver, says, skipS = 0) {
      const before = receiver.heard.length
      const isHeard = () => receiver.heard.slice(before).some(({ text }) => says.test(text))
      if (skipS > 0) {
        gateway.advance((skipS - LOOK_S) * 1000)
        await look(1)
        if (isHeard()) throw new Error(`heard before ${skipS} s`)
      }
      for (let seconds = skipS + LOOK_S; seconds <= skipS + 3600; seconds += LOOK_S) {
        await look(1)
        if (isHeard()) return seconds
      }
      throw new Error(`not heard: ${says}; the last was ${JSON.stringify(receiver.heard.at(-1)?.text)}`)
    },
    stop: async () => {
      await Promise.all(open.map((one) => one.stop()))
    },
  }
}
