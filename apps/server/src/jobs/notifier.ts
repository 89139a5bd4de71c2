/**
 * Sends merchants their notifications: takes what is due, host by host, so that a dead or slow host holds up no other. Safe
 * to run in many processes at once and to be killed anywhere: a notification whose lease ran out comes due again, so a
 * merchant may hear a thing twice and never misses one.
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
import { coalesced } from '../outbound/coalesce.ts'
import type { World } from '../world.ts'
import { type HostHealth, hostHealth } from './host-health.ts'
import type { Worker } from './worker.ts'

const IN_ALL = 256
/** Outlives the one call that it protects, and the writing of its result. */
const LEASE_MS = 4 * NOTIFY_TIMEOUT_MS
const ENDED_AT_ONCE = 256
const GIVE_UP_PAUSE_MS = 60_000
const GIVEN_UP_AT_ONCE = 1000

export type Notifier = {
  /** Takes what is due and free to go, and starts sending it; how many. */
  sendDue: () => Promise<number>
  /** Resolves when nothing is under way. */
  settled: () => Promise<void>
  /** Resolves when one of those under way has ended; never when nothing is. */
  oneEnded: () => Promise<void>
}

export function notifier(world: World): Notifier {
  const hosts = hostHealth()
  const running = new Set<Promise<void>>()
  const giveUp = givingUp(world, hosts)
  const end = coalesced<NotificationTry, string | null>({
    run: (_key, tries) => endNotificationTries(world.pool, tries),
    inFlightMax: 2,
    sizeMax: ENDED_AT_ONCE,
  })

  async function sendDue(): Promise<number> {
    const now = world.now()
    await giveUp(now)
    const total = IN_ALL - running.size
    if (total === 0) return 0
    const leaseUntil = new Date(now.getTime() + LEASE_MS)
    const taken = await takeNotifications(world.pool, { ...hosts.free(now.getTime()), total }, now, leaseUntil)
    for (const one of taken) {
      hosts.began(one.host)
      const sending = send(one).finally(() => running.delete(sending))
      running.add(sending)
    }
    return taken.length
  }

  /** Where this fails, the lease runs out, and the notification comes due again. */
  async function send(taken: TakenNotification): Promise<void> {
    const { mchNo, transactionNo, seq, kind, host } = taken
    const line = { mchNo, transactionNo, seq, kind, host }
    try {
      const told = await sendNotification(world, taken).finally(() => hosts.ended(host))
      // The host is free for the next one while this result is written down.
      hosts.judged(host, told.failure === null, world.now().getTime())
      const state = await end('', told)
      const { ms, httpStatus, failure } = told
      world.log.info({ ...line, tries: taken.tries + 1, state, ms, httpStatus, failure }, 'notification')
      if (state === 'DEAD') world.log.error({ ...line, failure, alarm: true }, 'notification in the dead letters')
    } catch (error) {
      world.log.error({ ...line, err: error }, 'notification failed')
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

/** Once a minute: gives up what a dead host let wait for too long without being tried as often as others are. */
function givingUp(world: World, hosts: HostHealth): (now: Date) => Promise<void> {
  let againMs = 0
  return async (now) => {
    if (now.getTime() < againMs) return
    againMs = now.getTime() + GIVE_UP_PAUSE_MS
    const before = new Date(now.getTime() - NOTIFY_GIVE_UP_MS)
    const given = await giveUpNotifications(world.pool, before, now, GIVEN_UP_AT_ONCE)
    if (given > 0) world.log.error({ given, alarm: true }, 'notifications in the dead letters')
    if (given === GIVEN_UP_AT_ONCE) againMs = 0
    hosts.forgetOld(now.getTime())
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

/** Sends until stopped, looking every `pauseMs` while nothing is due. Stopping waits for what is under way. */
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
