/**
 * Sends notifications to merchants: leases due ones host by host, so that a dead or slow host delays no other. Many processes
 * may run it at once, and each may be killed at any moment: a notification whose lease ends comes due again, so a merchant may
 * get it twice, but never misses it.
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
import { asOne } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { either } from './either.ts'
import { type HostHealth, hostHealth } from './host-health.ts'
import type { Lookout } from './lookout.ts'
import type { Worker } from './worker.ts'

const IN_ALL = 256
/** Longer than one call and the writing of its result. */
const LEASE_MS = 4 * NOTIFY_TIMEOUT_MS
const ENDED_AT_ONCE = 256
const GIVE_UP_PAUSE_MS = 60_000
const GIVEN_UP_AT_ONCE = 1000

export type Notifier = {
  /** Leases due notifications and starts to send them. Returns how many. `isAnyDue` false: leases none. */
  sendDue: (isAnyDue?: boolean) => Promise<number>
  /** Resolves when all running calls have ended. */
  settled: () => Promise<void>
  /** Resolves when one of the running calls has ended; never when there is none. */
  oneEnded: () => Promise<void>
}

export function notifier(world: World): Notifier {
  const hosts = hostHealth()
  const running = new Set<Promise<void>>()
  const giveUp = givingUp(world, hosts)
  const end = coalesced<NotificationTry, string | null>({
    name: 'end of tries',
    run: (_key, tries) => endNotificationTries(world.pool, tries),
    inFlightMax: 2,
    sizeMax: ENDED_AT_ONCE,
  })

  async function sendDue(isAnyDue = true): Promise<number> {
    const now = world.now()
    await giveUp(now)
    const total = IN_ALL - running.size
    if (!isAnyDue || total === 0) return 0
    const leaseUntil = new Date(now.getTime() + LEASE_MS)
    const limits = { ...hosts.free(now.getTime()), total }
    const taken = await world.overAll((spread) =>
      takeNotifications(world.pool, { ...limits, ...spread }, now, leaseUntil),
    )
    for (const one of taken) {
      hosts.began(one.host)
      const sending = sendInItsTrace(world, one, send).finally(() => running.delete(sending))
      running.add(sending)
    }
    return taken.length
  }

  /** If this fails, the lease ends and the notification comes due again. */
  async function send(taken: TakenNotification): Promise<void> {
    const { mchNo, transactionNo, seq, kind, host } = taken
    const line = { mchNo, transactionNo, seq, kind, host }
    try {
      const tried = await sendNotification(world, taken).finally(() => hosts.ended(host))
      // The host may get its next call while this result is written.
      hosts.judged(host, tried.failure === null, world.now().getTime())
      const state = await end(world.groupOf(tried.mchNo), tried)
      const { ms, httpStatus, failure } = tried
      world.metrics.notification(failure === null ? 'delivered' : 'failed')
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

/** With the id and in the trace of what it tells of, by whichever process that was done. */
function sendInItsTrace(
  { tracer, newNonce }: World,
  taken: TakenNotification,
  send: (taken: TakenNotification) => Promise<void>,
): Promise<void> {
  const { mchNo, transactionNo, host, tries, requestId, traceparent } = taken
  const attributes = {
    ...{ 'acopay.mch_no': mchNo, 'acopay.transaction_no': transactionNo },
    ...{ 'server.address': host, 'acopay.tries': tries + 1 },
  }
  const about = { kind: 'client', attributes, parent: traceparent, isOurs: true } as const
  return asOne(requestId ?? newNonce(), tracer.begin('notify', about), () => send(taken))
}

/**
 * Once a minute, turns notifications that wait for a dead host for too long into dead letters. Few of them were tried at
 * all.
 */
function givingUp(world: World, hosts: HostHealth): (now: Date) => Promise<void> {
  let againMs = 0
  return async (now) => {
    if (now.getTime() < againMs) return
    againMs = now.getTime() + GIVE_UP_PAUSE_MS
    const before = new Date(now.getTime() - NOTIFY_GIVE_UP_MS)
    const given = await world.overAll((spread) =>
      giveUpNotifications(world.pool, { before, now, ...spread }, GIVEN_UP_AT_ONCE),
    )
    if (given > 0) world.log.error({ given, alarm: true }, 'notifications in the dead letters')
    if (given === GIVEN_UP_AT_ONCE) againMs = 0
    hosts.forgetOld(now.getTime())
  }
}

/** Sends until stopped. While nothing is due, it waits for the lookout. Stopping waits for running calls. */
export function startNotifier(world: World, nextLook: Lookout): Worker {
  const stopping = new AbortController()
  const sender = notifier(world)
  const work = async (): Promise<void> => {
    let isAnyDue = true
    while (!stopping.signal.aborted) {
      const sent = await sender.sendDue(isAnyDue).catch((error: unknown) => {
        world.log.error({ err: error }, 'a round of notifications failed')
        return 0
      })
      isAnyDue = true
      const look = async (signal: AbortSignal): Promise<void> => {
        const { notifications } = await nextLook(signal)
        // Where a call has ended first, its host may take the next one.
        if (!signal.aborted) isAnyDue = notifications
      }
      if (sent === 0) await either(sender.oneEnded(), look, stopping.signal)
    }
    await sender.settled()
  }
  const working = work()
  return {
    stop: () => {
      stopping.abort()
      return working
    },
  }
}
