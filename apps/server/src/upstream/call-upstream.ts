/** Calls an upstream within a deadline. Every failure becomes the answer `unknown`. */
import { type Channel, type Traced, type Unknown, unknown } from '@acopay/channels'
import type { World } from '../world.ts'

/** Why a call's signal aborts when its answer has come or its time is over. Shared by all calls: making an error for each takes time. */
const ENDED = new Error('the call has ended')

/** By the steady clock: no deadline passes because a clock is moved. */
export type Deadline = { atMs: number }

/** A deadline `ms` from now. */
export const within = (world: World, ms: number): Deadline => ({ atMs: world.steadyMs() + ms })

export const remainingMs = (world: World, deadline: Deadline): number => Math.max(0, deadline.atMs - world.steadyMs())

/**
 * One call, limited by its own time-out and by the deadline. Channels return every answer of an upstream; if one throws or
 * does not return in time, the answer is `unknown`.
 */
export async function callUpstream<Answer extends { kind: string }>(
  world: World,
  deadline: Deadline,
  call: (signal: AbortSignal) => Promise<Answer>,
  callMs: number = world.limits.channelCallMs,
): Promise<Answer | Unknown> {
  const ms = Math.min(callMs, remainingMs(world, deadline))
  if (ms === 0) return unknown('no time left to ask')
  const giveUp = new AbortController()
  const late = world.sleep(ms, giveUp.signal).then(() => {
    giveUp.abort(ENDED)
    return unknown(`no answer within ${ms} ms`)
  })
  const answer = call(giveUp.signal).catch((error: unknown) =>
    unknown(error instanceof Error ? error.message : 'the channel failed'),
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    giveUp.abort(ENDED)
  }
}

/** An answer as one line for operators: `open: refused (NO_AUTH) [08F78BB0]`. */
export const answerText = (verb: string, answer: Traced & { kind: string; why?: string }): string =>
  `${verb}: ${answer.kind}${answer.why === undefined ? '' : ` (${answer.why})`}${answer.requestId === undefined ? '' : ` [${answer.requestId}]`}`

/**
 * The merchant's channel by which an attempt was opened; an account that was used once is never removed. `account`: as it was just read
 * with the attempt.
 */
export async function channelOrThrow(
  world: World,
  { mchNo, channel, account = null }: { mchNo: string; channel: string; account?: Buffer | null },
): Promise<Channel> {
  const found = await world.channelOf(mchNo, channel, account)
  if (found === null) throw new Error(`merchant ${mchNo} has no account with ${channel}`)
  return found
}
