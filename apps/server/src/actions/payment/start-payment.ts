/** Opens an attempt: writes it first, if the order's state allows it, and then calls the upstream. */
import { type ChannelName, NEEDS_PAYER, type OpenAsk } from '@acopay/channels'
import type { OrderRef } from '@acopay/core'
import { type Attempt, attemptsOf, lockOrder, moveAttempt, noteAnswers, removeJob, transaction } from '@acopay/store'
import { attemptNumber } from '../../security/numbers.ts'
import { answerText, callUpstream, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import type { Refused } from '../order/events.ts'

export type StartAnswer =
  | { kind: 'absent' }
  | { kind: 'refused'; why: Refused }
  /** The merchant has no account with this channel, the channel has no such method, or the method needs a payer id. */
  | { kind: 'unavailable' }
  /** `payUrl` is null where the upstream's answer is unknown or a refusal; while unknown, the attempt stays OPENING. */
  | { kind: 'started'; attempt: Attempt }

/** The payer's data that some methods need. */
export type Payer = Pick<OpenAsk, 'returnUrl' | 'payerIp' | 'openId'>

export async function startPayment(
  world: World,
  ask: { mchNo: string; ref: OrderRef; channel: ChannelName; method: string; payer: Payer },
): Promise<StartAnswer> {
  const channel = await world.channelOf(ask.mchNo, ask.channel)
  if (channel === null || !channel.methods.some((method) => method === ask.method)) return { kind: 'unavailable' }
  if (NEEDS_PAYER.has(ask.method) && ask.payer.openId === null) return { kind: 'unavailable' }
  const now = world.now()
  // The deadline starts before the transaction, so that a stalled process cannot send the create after `createInFlightUntil`.
  const deadline = within(world, world.limits.channelCallMs)
  const createInFlightUntil = new Date(deadline.atMs + channel.createInFlightMs)
  const { method } = ask
  const changed = await changeOrder(world, ask, {
    event: 'pay_started',
    attempt: { channel: ask.channel, method, openId: openIdFor(ask), createInFlightUntil },
  })
  if (changed.kind !== 'answered') return { kind: 'absent' }
  if (changed.refused !== null) return { kind: 'refused', why: changed.refused }

  const { order } = changed
  const { amountFen, description, timeExpire: expireAt } = order
  const attemptNo = attemptNumber(world.keyedDigits, order, { nth: order.attempts, channel: ask.channel })
  const notifyUrl = world.notifyUrl(order.mchNo, ask.channel)
  const answer = await callUpstream(world, deadline, (signal) =>
    channel.open({ attemptNo, method, amountFen, description, expireAt, notifyUrl, ...ask.payer }, signal),
  )
  const attempt = await writeOpened(world, order, attemptNo, answer)
  if (answer.kind !== 'opened') {
    const answers = [{ no: attemptNo, text: answerText('open', answer) }]
    await noteAnswers(world.pool, { table: 'attempt', mchNo: ask.mchNo, answers, now })
  }
  return { kind: 'started', attempt }
}

/** Null for methods that any payer may pay. */
export const openIdFor = ({ method, payer }: { method: string; payer: Payer }): string | null =>
  NEEDS_PAYER.has(method) ? payer.openId : null

/** `payUrl` null: the attempt is open upstream, but the answer with the payer's code or link was lost. */
type Opened = { kind: 'opened'; payUrl: string | null } | { kind: 'refused' | 'unknown'; why: string }

/**
 * Writes the result of the create. A refused attempt becomes SHUT; after an unknown answer it stays OPENING, and its job
 * queries.
 */
export const writeOpened = (
  world: World,
  { mchNo, transactionNo }: { mchNo: string; transactionNo: string },
  attemptNo: string,
  answer: Opened,
): Promise<Attempt> =>
  transaction(world.pool, async (db) => {
    await lockOrder(db, mchNo, { transactionNo })
    const one = async (): Promise<Attempt> => {
      const found = (await attemptsOf(db, mchNo, transactionNo)).find((attempt) => attempt.attemptNo === attemptNo)
      if (found === undefined) throw new Error(`attempt ${attemptNo} was not found while it was being opened`)
      return found
    }
    const attempt = await one()
    if (answer.kind === 'unknown') return attempt
    const now = world.now()
    if (answer.kind === 'opened') await moveAttempt(db, attempt, { event: 'opened', payUrl: answer.payUrl, now })
    else await moveAttempt(db, attempt, { event: 'shut', payUrl: null, now })
    await removeJob(db, { mchNo, kind: 'resolve_attempt', subject: attemptNo })
    return one()
  })
