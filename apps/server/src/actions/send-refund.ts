/** Has an upstream make a refund, under a number that makes repeats harmless. What is not known is asked again. */
import type { Channel, ChannelName } from '@acopay/channels'
import { type FoundRefund, findRefund, markRefundCall, noteAnswers } from '@acopay/store'
import type { World } from '../world.ts'
import { answerText, asked, type Deadline, within } from './ask-channel.ts'
import { changeOrder } from './change-order.ts'

/**
 * Whether the refund has ended, done or failed; `under_way` when the upstream is at it. `isFirst`: nobody has called the upstream for it yet, so that its
 * refusal is final at once; later a call whose answer was lost may still be carried out.
 */
export async function sendRefund(
  world: World,
  key: { mchNo: string; refundNo: string; isFirst: boolean },
): Promise<boolean | 'under_way'> {
  const { mchNo, refundNo } = key
  const refund = await findRefund(world.pool, mchNo, { refundNo })
  if (refund === null) throw new Error(`no refund ${refundNo}`)
  if (refund.state !== 'PROCESSING') return true
  const channel = await world.channelOf(mchNo, refund.channel as ChannelName)
  if (channel === null) throw new Error(`no account with ${refund.channel}`)
  const nowMs = world.now().getTime()
  // The moment that is written down, not the one after a stall: the call is made by then or not at all.
  const deadline = key.isFirst ? { atMs: refund.landsUntil.getTime() } : within(world, world.limits.channelCallMs)
  const landsUntil = key.isFirst ? refund.landsUntil : new Date(nowMs + landsMs(world, channel))
  if (!key.isFirst) await markRefundCall(world.pool, key, landsUntil)
  const mayLand = !key.isFirst && nowMs < refund.landsUntil.getTime() + channel.createLandsMs
  const found = await callUpstream(world, channel, refund, deadline)
  if (found.kind === 'unknown' || (found.kind === 'failed' && mayLand)) {
    const text = answerText('refund', found)
    world.log.warn({ mchNo, refundNo, found: text }, 'refund not done yet')
    await noteAnswers(world.pool, 'refund', mchNo, [{ no: refundNo, text }], world.now())
    return found.kind === 'unknown' && found.isUnderWay ? 'under_way' : false
  }
  const order = { mchNo, ref: { transactionNo: refund.transactionNo } }
  if (found.kind === 'done') {
    await changeOrder(world, order, { event: 'refund_done', refundNo })
    return true
  }
  const failed = { event: 'refund_failed', refundNo, failure: found.why, landsUntil } as const
  const changed = await changeOrder(world, order, failed)
  // Not so where somebody has called again since: whoever that was goes on.
  return changed.kind === 'answered' && changed.steps.length > 0
}

const landsMs = (world: World, channel: Channel): number => world.limits.channelCallMs + channel.createLandsMs

type Found = { kind: 'done' } | { kind: 'failed'; why: string } | { kind: 'unknown'; why: string; isUnderWay: boolean }

/** A refusal is believed only where a query knows of no refund under this number, or that it failed. */
async function callUpstream(world: World, channel: Channel, refund: FoundRefund, deadline: Deadline): Promise<Found> {
  const { attemptNo, paymentNo, refundNo, amountFen, totalFen, reason } = refund
  const notifyUrl = world.notifyUrl(refund.mchNo, refund.channel as ChannelName)
  const answer = await asked(world, deadline, (signal) =>
    channel.refund({ attemptNo, paymentNo, refundNo, amountFen, totalFen, reason, notifyUrl }, signal),
  )
  if (answer.kind === 'done') return answer
  if (answer.kind === 'unknown') return { ...answer, isUnderWay: false }
  const stands = await asked(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.queryRefund({ attemptNo, paymentNo, refundNo }, signal),
  )
  if (stands.kind === 'done') return stands
  if (stands.kind === 'failed') return stands
  if (stands.kind === 'absent' && answer.kind === 'refused') return { kind: 'failed', why: answer.why }
  const isUnderWay = stands.kind === 'processing' && stands.why === undefined
  return { kind: 'unknown', why: `${answer.kind}, then ${answerText('query', stands)}`, isUnderWay }
}
