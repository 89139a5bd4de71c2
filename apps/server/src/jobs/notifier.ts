/**
 * Tells merchants what they must hear: takes what is due, host by host, so that one that is dead or slow holds up no
 * other. Safe to run on many servers at once and to be killed anywhere: what was taken and not ended comes due again,
 * so a merchant may hear a thing twice and never misses one.
 */
import { NOTIFY_GIVE_UP_MS } from '@acopay/core'
import { NOTIFY_TIMEOUT_MS } from '@acopay/protocol'
import {
  endNotificationTries,
  giveUpNotifications,
  type NotificationTry,
  type TakenNotification,
  takeNotifications,
} from '@acopay/store'
import { sendNotification } from '../actions/notification/send-notification.ts'
import { batched } from '../outbound/coalesce.ts'
import type { World } from '../world.ts'
import type { Worker } from './worker.ts'

const PER_HOST = 32
const IN_ALL = 256
/** Outlives the one call that it protects, and writing down how it ended. */
const LEASE_MS = 4 * NOTIFY_TIMEOUT_MS
/** So many failures in a row, and a host is asked by one at a time, with a rest between. */
const FAILURES_TO_REST = 20
const REST_MS = 5_000
const ENDED_AT_ONCE = 256
const GIVE_UP_PAUSE_MS = 60_000
const GIVEN_UP_AT_ONCE = 1000
/** A host of which nothing was heard for so long is a new one. */
const FORGET_MS = 3_600_000

/** What this process knows of a host. */
type Host = { underWay: number; failuresInRow: number; restUntilMs: number }

export type Notifier = {
  /** Takes what is due and free to go, and starts sending it; how many. */
  sendDue: () => Promise<number>
  /** Resolves when nothing is under way. */
  settled: () => Promise<void>
  /** Resolves when one of those under way has ended; never when nothing is. */
  oneEnded: () => Promise<void>
}

export function notifier(world: World): Notifier {
  const hosts = new Map<string, Host>()
  const running = new Set<Promise<void>>()
  let giveUpAgainMs = 0
  const end = batched<NotificationTry, string | null>({
    run: (_key, tries) => endNotificationTries(world.pool, tries),
    inFlightMax: 2,
    sizeMax: ENDED_AT_ONCE,
  })

  const freeOf = ({ underWay, failuresInRow, restUntilMs }: Host, nowMs: number): number => {
    if (failuresInRow < FAILURES_TO_REST) return Math.max(0, PER_HOST - underWay)
    return underWay === 0 && nowMs >= restUntilMs ? 1 : 0
  }

  async function sendDue(): Promise<number> {
    const now = world.now()
    await giveUp(now)
    const total = IN_ALL - running.size
    if (total === 0) return 0
    const free = new Map([...hosts].map(([host, knows]) => [host, freeOf(knows, now.getTime())]))
    const leaseUntil = new Date(now.getTime() + LEASE_MS)
    const taken = await takeNotifications(world.pool, { perHost: PER_HOST, free, total }, now, leaseUntil)
    for (const one of taken) {
      const host = hosts.get(one.host) ?? { underWay: 0, failuresInRow: 0, restUntilMs: 0 }
      hosts.set(one.host, host)
      host.underWay += 1
      const sending = send(one, host).finally(() => running.delete(sending))
      running.add(sending)
    }
    return taken.length
  }

  /** Its lease runs out where this fails, and it comes due again. */
  async function send(taken: TakenNotification, host: Host): Promise<void> {
    const { mchNo, transactionNo, seq, kind } = taken
    const line = { mchNo, transactionNo, seq, kind, host: taken.host }
    try {
      const told = await sendNotification(world, taken).finally(() => {
        host.underWay -= 1
      })
      note(taken.host, host, told.failure === null)
      const state = await end('', told)
      const { ms, httpStatus, failure } = told
      world.log.info({ ...line, tries: taken.tries + 1, state, ms, httpStatus, failure }, 'notification')
      if (state === 'DEAD') world.log.error({ ...line, failure, alarm: true }, 'notification in the dead letters')
    } catch (error) {
      world.log.error({ ...line, err: error }, 'notification failed')
    }
  }

  /** The host is free for the next while this one is written down. */
  function note(name: string, host: Host, isHeard: boolean): void {
    host.failuresInRow = isHeard ? 0 : host.failuresInRow + 1
    if (!isHeard) host.restUntilMs = world.now().getTime() + REST_MS
    else if (host.underWay === 0) hosts.delete(name)
  }

  /** What a dead host let wait for too long, without being tried as often as others are. */
  async function giveUp(now: Date): Promise<void> {
    if (now.getTime() < giveUpAgainMs) return
    giveUpAgainMs = now.getTime() + GIVE_UP_PAUSE_MS
    const before = new Date(now.getTime() - NOTIFY_GIVE_UP_MS)
    const given = await giveUpNotifications(world.pool, before, now, GIVEN_UP_AT_ONCE)
    if (given > 0) world.log.error({ given, alarm: true }, 'notifications in the dead letters')
    if (given === GIVEN_UP_AT_ONCE) giveUpAgainMs = 0
    for (const [name, host] of hosts) {
      if (host.underWay === 0 && now.getTime() - host.restUntilMs > FORGET_MS) hosts.delete(name)
    }
  }

  return {
    sendDue,
    settled: async () => {
      await Promise.all(running)
    },
    oneEnded: async () => {
      await Promise.race(running)
    },
  }
}

/** Whichever comes first; the sleep ends with it, or when stopping. */
async function either(event: Promise<void>, sleep: (signal: AbortSignal) => Promise<void>, stopping: AbortSignal) {
  const waiting = new AbortController()
  const stop = (): void => waiting.abort()
  stopping.addEventListener('abort', stop)
  await Promise.race([event, sleep(waiting.signal)])
  stopping.removeEventListener('abort', stop)
  waiting.abort()
}

/** Tells until stopped, looking `pauseMs` apart while there is nothing. Stopping lets what is under way end. */
export function startNotifier(world: World, pauseMs: number): Worker {
  const stopping = new AbortController()
  const telling = notifier(world)
  const work = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const sent = await telling.sendDue().catch((error: unknown) => {
        world.log.error({ err: error }, 'a round of notifications failed')
        return 0
      })
      if (sent === 0) await either(telling.oneEnded(), (signal) => world.sleep(pauseMs, signal), stopping.signal)
    }
    await telling.settled()
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
