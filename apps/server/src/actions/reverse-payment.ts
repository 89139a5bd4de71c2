/** Sends a late, second or wrong payment back to the payer, in full, under a number that makes repeats harmless. */
import type { ChannelName } from '@acopay/channels'
import { findReversal, finishReversal, noteAnswers } from '@acopay/store'
import type { World } from '../world.ts'
import { answerText, asked, within } from './ask-channel.ts'

/** What the payer reads. */
const REASON = '订单已关闭或已支付，自动退款'

/** Whether the money is back; otherwise it is to be asked again. A reversal never fails, it keeps trying. */
export async function reversePayment(world: World, key: { mchNo: string; refundNo: string }): Promise<boolean> {
  const reversal = await findReversal(world.pool, key.mchNo, key.refundNo)
  if (reversal === null) throw new Error(`no reversal ${key.refundNo}`)
  if (reversal.state === 'SUCCESS') return true
  const { mchNo: account, attemptNo, paymentNo, refundNo, amountFen } = reversal
  const channel = await world.channelOf(account, reversal.channel as ChannelName)
  if (channel === null) throw new Error(`no account with ${reversal.channel}`)
  const isBack = async (): Promise<boolean> => {
    const ref = { attemptNo, refundNo }
    const limit = within(world, world.limits.channelCallMs)
    return (await asked(world, limit, (signal) => channel.queryRefund(ref, signal))).kind === 'done'
  }
  const notifyUrl = world.notifyUrl(account, reversal.channel as ChannelName)
  const ask = { attemptNo, paymentNo, refundNo, amountFen, totalFen: amountFen, reason: REASON, notifyUrl }
  const answer = await asked(world, within(world, world.limits.channelCallMs), (signal) => channel.refund(ask, signal))
  /** All of the attempt's money is back, whoever sent it: a close that met the payer's payment does. */
  const isReturned = async (): Promise<boolean> => {
    const limit = within(world, world.limits.channelCallMs)
    return (await asked(world, limit, (signal) => channel.query({ attemptNo }, signal))).kind === 'returned'
  }
  const isDone =
    answer.kind === 'done' ||
    (answer.kind === 'processing' && (await isBack())) ||
    (answer.kind === 'refused' && (await isReturned()))
  if (!isDone) {
    const text = answerText('refund', answer)
    world.log.warn({ mchNo: account, refundNo, answer: text }, 'reversal not done yet')
    await noteAnswers(world.pool, 'reversal', account, [{ no: refundNo, text }], world.now())
    return false
  }
  await finishReversal(world.pool, account, refundNo, world.now())
  return true
}
