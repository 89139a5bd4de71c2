/** Sends a late, second or wrong payment back to the payer, in full, under a number that makes repeats harmless. */
import type { ChannelName } from '@acopay/channels'
import { findReversal, finishReversal, noteAnswers, renumberReversal } from '@acopay/store'
import { nextUpstreamNumber } from '../numbers.ts'
import type { World } from '../world.ts'
import { answerText, asked, within } from './ask-channel.ts'

/** What the payer reads. */
const REASON = '订单已关闭或已支付，自动退款'

/**
 * Whether the money is back; `under_way` when the upstream is at it, else it is to be asked again. A reversal never fails, it
 * keeps trying.
 */
export async function reversePayment(
  world: World,
  key: { mchNo: string; refundNo: string },
): Promise<boolean | 'under_way'> {
  const reversal = await findReversal(world.pool, key.mchNo, key.refundNo)
  if (reversal === null) throw new Error(`no reversal ${key.refundNo}`)
  if (reversal.state === 'SUCCESS') return true
  const { mchNo, attemptNo, paymentNo, refundNo, amountFen } = reversal
  const upstreamNo = reversal.upstreamNo ?? refundNo
  const channel = await world.channelOf(mchNo, reversal.channel as ChannelName)
  if (channel === null) throw new Error(`no account with ${reversal.channel}`)
  const limit = () => within(world, world.limits.channelCallMs)

  const notifyUrl = world.notifyUrl(mchNo, reversal.channel as ChannelName)
  const ask = { attemptNo, paymentNo, refundNo: upstreamNo, amountFen, totalFen: amountFen, reason: REASON, notifyUrl }
  const answer = await asked(world, limit(), (signal) => channel.refund(ask, signal))
  const stands =
    answer.kind === 'processing' || answer.kind === 'refused'
      ? await asked(world, limit(), (signal) =>
          channel.queryRefund({ attemptNo, paymentNo, refundNo: upstreamNo }, signal),
        )
      : answer
  /** All of the attempt's money is back, whoever sent it: a close that met the payer's payment does. */
  const isReturned = async (): Promise<boolean> =>
    (await asked(world, limit(), (signal) => channel.query({ attemptNo }, signal))).kind === 'returned'

  if (stands.kind === 'done' || (answer.kind === 'refused' && (await isReturned()))) {
    const byUpstream = stands.kind !== 'done'
    await finishReversal(world.pool, { mchNo, refundNo, byUpstream }, world.now())
    return true
  }
  const text = [answerText('refund', answer), ...(stands === answer ? [] : [answerText('query', stands)])].join(
    ', then ',
  )
  world.log.warn({ mchNo, refundNo, answer: text }, 'reversal not done yet')
  await noteAnswers(world.pool, 'reversal', mchNo, [{ no: refundNo, text }], world.now())
  // Nothing went back under this number, and nothing will: only another one can be tried.
  if (stands.kind === 'failed') await renumberReversal(world.pool, { mchNo, refundNo }, nextUpstreamNumber(upstreamNo))
  return stands.kind === 'processing' && stands.why === undefined ? 'under_way' : false
}
