/** Sends a refund to the upstream under a number that makes repeats harmless, and queries where the outcome is unknown. */
import type { Channel, RefundQueryAnswer } from '@acopay/channels'
import type { JobOutcome } from '@acopay/core'
import { type FoundRefund, findRefund, markRefundCall, markRefundRefused, noteAnswers } from '@acopay/store'
import { answerText, callUpstream, channelOrThrow, type Deadline, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import { type Twin, twinOf } from '../restored/lost-refunds.ts'

/** A call to the upstream, given up at `inFlightUntil`, which is in the refund's row and tells this call from the others. */
type Call = { channel: Channel; deadline: Deadline; inFlightUntil: Date; mayEarlierBeInFlight: boolean }

/**
 * The first call, made by the merchant's request. There is no earlier call, so a refusal is final at once. Returns the refund
 * afterwards; it is PROCESSING where the outcome is unknown.
 */
export async function sendFirstRefund(world: World, refund: FoundRefund): Promise<FoundRefund> {
  // After a restore it may be made already: the job finds out.
  if ((await twinOf(world, refund)) !== 'none') return refund
  const channel = await channelOrThrow(world, refund)
  // The deadline is the moment in the row, so that a process that has stalled since cannot make the call later.
  const { inFlightUntil } = refund
  const call = { channel, inFlightUntil, deadline: { atMs: inFlightUntil.getTime() }, mayEarlierBeInFlight: false }
  return (await sendCall(world, refund, call)).refund
}

/** Every later call, made by the job. While the upstream may still carry out an earlier call, a refusal proves nothing. */
export async function sendRefundAgain(world: World, key: { mchNo: string; refundNo: string }): Promise<JobOutcome> {
  const refund = await findRefund(world.pool, key.mchNo, { refundNo: key.refundNo })
  if (refund === null) throw new Error(`no refund ${key.refundNo}`)
  if (refund.state !== 'PROCESSING') return 'done'
  const channel = await channelOrThrow(world, refund)
  const twin = await twinOf(world, refund)
  if (twin !== 'none') return settleByTwin(world, refund, channel, twin)
  const nowMs = world.sureNow().getTime()
  const { inFlightUntil: lastUntil, refusal } = refund
  // What the last call's refusal still lacks is a query that the upstream's own delay does not make worthless.
  if (refusal !== null && nowMs >= lastUntil.getTime() + channel.refundVisibleAfterMs) {
    const found = await askAfterRefusal(world, refund, channel, refusal)
    return (await settle(world, refund, { inFlightUntil: lastUntil, mayEarlierBeInFlight: false }, found)).outcome
  }
  const deadline = within(world, world.limits.channelCallMs)
  const inFlightUntil = new Date(deadline.atMs)
  await markRefundCall(world.pool, key, inFlightUntil)
  const mayEarlierBeInFlight = nowMs < lastUntil.getTime() + channel.createInFlightMs
  return (await sendCall(world, refund, { channel, deadline, inFlightUntil, mayEarlierBeInFlight })).outcome
}

/** The refund was made before a restore, under a number that the books have lost, or that is not known yet. */
async function settleByTwin(
  world: World,
  refund: FoundRefund,
  channel: Channel,
  twin: Exclude<Twin, 'none'>,
): Promise<JobOutcome> {
  const { mchNo, transactionNo, refundNo, inFlightUntil } = refund
  if (twin === 'not known yet') {
    const text = 'waits for the bills of the days that the restored database has lost'
    await noteAnswers(world.pool, { table: 'refund', mchNo, answers: [{ no: refundNo, text }], now: world.now() })
    return 'in_progress'
  }
  const stands = await queryOf(world, { ...refund, refundNo: twin.refundNo }, channel)
  const { outcome } = await settle(
    world,
    refund,
    { inFlightUntil, mayEarlierBeInFlight: true },
    foundBy(refund, 'made before', stands),
  )
  if (outcome === 'done')
    world.log.warn({ mchNo, transactionNo, refundNo, madeAs: twin.refundNo }, 'a refund that the books had lost')
  return outcome
}

type Sent = { outcome: JobOutcome; refund: FoundRefund }

async function sendCall(world: World, refund: FoundRefund, call: Call): Promise<Sent> {
  const found = await askForRefund(world, refund, call)
  if (found.kind === 'refused' && !call.mayEarlierBeInFlight) {
    await markRefundRefused(world.pool, { ...refund, inFlightUntil: call.inFlightUntil }, found.why)
  }
  return settle(world, refund, call, found)
}

async function settle(
  world: World,
  refund: FoundRefund,
  call: Pick<Call, 'inFlightUntil' | 'mayEarlierBeInFlight'>,
  found: Found,
): Promise<Sent> {
  const { mchNo, refundNo } = refund
  const isOver = found.kind === 'done' || (found.kind === 'failed' && !call.mayEarlierBeInFlight)
  if (!isOver) {
    const text = answerText('refund', found)
    world.log.warn({ mchNo, refundNo, found: text }, 'refund not done yet')
    await noteAnswers(world.pool, { table: 'refund', mchNo, answers: [{ no: refundNo, text }], now: world.now() })
    return { outcome: found.kind === 'unknown' && found.isUnderWay ? 'in_progress' : 'retry', refund }
  }
  const order = { mchNo, ref: { transactionNo: refund.transactionNo } }
  const changed = await changeOrder(
    world,
    order,
    found.kind === 'done'
      ? { event: 'refund_done', refundNo }
      : { event: 'refund_failed', refundNo, failure: found.why, inFlightUntil: call.inFlightUntil },
  )
  if (changed.kind !== 'answered' || changed.refund === null)
    throw new Error(`refund ${refundNo} was not found while it was being sent`)
  // The refund is still PROCESSING where a later call is in flight, which made this refusal count for nothing.
  return { outcome: changed.refund.state === 'PROCESSING' ? 'retry' : 'done', refund: changed.refund }
}

/** `refused`: by the last call, while a query made so soon proves nothing. */
type Found =
  | { kind: 'done' }
  | { kind: 'failed'; why: string }
  | { kind: 'refused'; why: string }
  | { kind: 'unknown'; why: string; isUnderWay: boolean }

/** A refusal counts only if a query then reports that the refund does not exist or has failed. */
async function askForRefund(world: World, refund: FoundRefund, { channel, deadline }: Call): Promise<Found> {
  const { attemptNo, paymentNo, refundNo, amountFen, totalFen, reason } = refund
  const notifyUrl = world.notifyUrl(refund.mchNo, refund.channel)
  const answer = await callUpstream(world, deadline, (signal) =>
    channel.refund({ attemptNo, paymentNo, refundNo, amountFen, totalFen, reason, notifyUrl }, signal),
  )
  if (answer.kind === 'done') return answer
  if (answer.kind === 'unknown') return { ...answer, isUnderWay: false }
  const stands = await queryOf(world, refund, channel)
  if (stands.kind === 'absent' && answer.kind === 'refused') {
    return { kind: channel.refundVisibleAfterMs === 0 ? 'failed' : 'refused', why: answer.why }
  }
  return foundBy(refund, answer.kind, stands)
}

/** The upstream refused the last call, and by now its query would show a refund that it made all the same. */
async function askAfterRefusal(world: World, refund: FoundRefund, channel: Channel, refusal: string): Promise<Found> {
  const stands = await queryOf(world, refund, channel)
  return stands.kind === 'absent' ? { kind: 'failed', why: refusal } : foundBy(refund, 'refused', stands)
}

const queryOf = (
  world: World,
  { attemptNo, paymentNo, refundNo }: FoundRefund,
  channel: Channel,
): Promise<RefundQueryAnswer> =>
  callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.queryRefund({ attemptNo, paymentNo, refundNo }, signal),
  )

function foundBy({ amountFen }: FoundRefund, answered: string, stands: RefundQueryAnswer): Found {
  if (stands.kind === 'failed') return stands
  if (stands.kind === 'done' && stands.amountFen === amountFen) return { kind: 'done' }
  const isUnderWay = stands.kind === 'processing' && stands.why === undefined
  return { kind: 'unknown', why: `${answered}, then ${answerText('query', stands)}`, isUnderWay }
}
