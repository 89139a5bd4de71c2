/**
 * Looks for alarms and tells them, beside everything else. Every process notes what it alone sees; one of them looks at the database; each
 * channel is told by one. While the database does not answer, every process tells the channels that it last knew.
 */
import { type AlarmChannel, type AlarmNews, alarmChannels } from '@acopay/store'
import { messageOf } from '../actions/alarm/compose.ts'
import { ALARM_RULES } from '../actions/alarm/decide-alarms.ts'
import { LOOK_MS, lookForAlarms, noteOwnAlarms } from '../actions/alarm/look.ts'
import { nameIn, sendSafely, tellAlarms } from '../actions/alarm/tell.ts'
import { processSigns } from '../metrics/process-signs.ts'
import type { World } from '../world.ts'
import type { Worker } from './worker.ts'

/** The database may be away for this long; then each process waits a little more, so that not all of them tell at once. */
const AWAY_MS = 60_000
const AWAY_SPREAD_MS = 30_000

export type AlarmWatch = { round: () => Promise<void> }

export function alarmWatch(world: World): AlarmWatch {
  const signsNow = processSigns(world.metrics.registry, () => world.pool.waitingCount > 0)
  const away = awayTeller(world)

  async function look(): Promise<AlarmChannel[]> {
    const now = world.now()
    const lines = world.alarmLines.take()
    try {
      await noteOwnAlarms(world, { lines, signs: await signsNow(now.getTime()) }, now)
    } catch (error) {
      world.alarmLines.putBack(lines)
      throw error
    }
    await lookForAlarms(world, now)
    await tellAlarms(world)
    return alarmChannels(world.pool)
  }

  return {
    async round() {
      try {
        await away.isBack(await look())
      } catch (err) {
        world.log.error({ err }, 'alarms could not be looked at')
        await away.isAway()
      }
    },
  }
}

/** Tells from memory that the database does not answer, and that it is back. */
function awayTeller(world: World): {
  isBack: (channels: AlarmChannel[]) => Promise<void>
  isAway: () => Promise<void>
} {
  let known: AlarmChannel[] = []
  let since: Date | null = null
  let toldMs: number | null = null
  const waitMs = AWAY_MS + world.random() * AWAY_SPREAD_MS

  async function tell(what: AlarmNews['what'], raisedAt: Date): Promise<void> {
    const at = world.now()
    const news = { number: 0n, at, what, kind: 'not-ready', subject: 'database', raisedAt, found: 1, examples: [] }
    const place = { consoleUrl: world.consoleUrl, channelName: nameIn(known) }
    const message = messageOf([news], place)
    const enabled = known.filter(({ isEnabled }) => isEnabled)
    await Promise.all(enabled.map((one) => sendSafely(world, one, { id: world.newNonce(), message })))
  }

  return {
    async isBack(channels) {
      known = channels
      if (since !== null && toldMs !== null) await tell('cleared', since)
      since = null
      toldMs = null
    },
    async isAway() {
      const nowMs = world.now().getTime()
      since ??= new Date(nowMs)
      if (nowMs - since.getTime() < waitMs) return
      if (toldMs !== null && nowMs - toldMs < ALARM_RULES.againMs.page) return
      const what = toldMs === null ? 'raised' : 'again'
      toldMs = nowMs
      await tell(what, since)
    },
  }
}

/** Looks until stopped. */
export function startAlarmWatch(world: World): Worker {
  const stopping = new AbortController()
  const watch = alarmWatch(world)
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await watch.round()
      await world.sleep(LOOK_MS, stopping.signal)
    }
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
