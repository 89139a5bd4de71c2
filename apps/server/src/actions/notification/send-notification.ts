/** Sends one notification once and checks the merchant's reply. The caller stores the result: see `endNotificationTries`. */
import { notifyPauseMs } from '@acopay/core'
import { isHeard, NOTIFY_TIMEOUT_MS } from '@acopay/protocol'
import type { NotificationTry, TakenNotification } from '@acopay/store'
import { postInTime } from '../../outbound/post-in-time.ts'
import type { Posted } from '../../outbound/safe-post.ts'
import type { World } from '../../world.ts'

const REPLY_KEPT_BYTES = 4096

export async function sendNotification(world: World, taken: TakenNotification): Promise<NotificationTry> {
  const { mchNo, transactionNo, seq, url, tries } = taken
  const at = world.now()
  const startedMs = world.steadyMs()
  // The merchant holds its time against its own clock.
  const outside = new Date(at.getTime() - world.aheadMs())
  const body = await world.signNotification(mchNo, JSON.parse(taken.news) as Record<string, string | null>, outside)
  const posted = await postInTime(world, { url, body, headers: {} }, NOTIFY_TIMEOUT_MS)
  const failure = failureOf(posted)
  const pauseMs = failure === null ? null : notifyPauseMs(tries + 1)
  return {
    mchNo,
    transactionNo,
    seq,
    taken: taken.taken,
    at,
    ms: world.steadyMs() - startedMs,
    failure,
    httpStatus: posted.httpStatus,
    reply: posted.httpStatus === null || posted.reply === null ? null : kept(posted.reply),
    nextAt: pauseMs === null ? null : new Date(world.now().getTime() + pauseMs),
  }
}

/** Null when the merchant has acknowledged the notification. */
function failureOf(posted: Posted): string | null {
  if (posted.httpStatus === null) return posted.why
  if (posted.httpStatus !== 200) return `HTTP ${posted.httpStatus}`
  if (posted.reply === null) return 'the reply is too long'
  return isHeard(posted.httpStatus, posted.reply) ? null : 'the reply does not say SUCCESS'
}

/** The part of the reply that is stored. PostgreSQL cannot store NUL characters. */
const kept = (reply: string): string =>
  Buffer.from(reply.replaceAll('\0', '\ufffd')).subarray(0, REPLY_KEPT_BYTES).toString('utf8')
