/** Sends a reversal to the upstream: the whole payment, under a number that makes repeats harmless. */
import type { JobOutcome } from '@acopay/core'
import {
  findAnyReversal,
  finishAnyReversal,
  noteAnswers,
  type PlacedReversal,
  renumberAnyReversal,
  transaction,
} from '@acopay/store'
import { nextUpstreamNumber } from '../../security/numbers.ts'
import { answerText, callUpstream, channelOrThrow, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { tellSentBack } from '../notification/tell-sent-back.ts'

/** The reason that the upstream shows to the payer. */
const REASON = '订单已关闭或已支付，自动退款'

/** A reversal never fails: until the money is back, its job tries again. */
export async function reversePayment(world: World, key: { mchNo: string; refundNo: string }): Promise<JobOutcome> {
  const reversal = await findAnyReversal(world.pool, key.mchNo, key.refundNo)
  if (reversal === null) throw new Error(`no reversal ${key.refundNo}`)
  if (reversal.state === 'SUCCESS') return 'done'
  const { mchNo, attemptNo, paymentNo, refundNo, amountFen } = reversal
  const upstreamNo = reversal.upstreamNo ?? refundNo
  const channel = await channelOrThrow(world, reversal)
  const limit = () => within(world, world.limits.channelCallMs)

  const notifyUrl = world.notifyUrl(mchNo, reversal.channel)
  const ask = { attemptNo, paymentNo, refundNo: upstreamNo, amountFen, totalFen: amountFen, reason: REASON, notifyUrl }
  const answer = await callUpstream(world, limit(), (signal) => channel.refund(ask, signal))
  const stands =
    answer.kind === 'processing' || answer.kind === 'refused'
      ? await callUpstream(world, limit(), (signal) =>
          channel.queryRefund({ attemptNo, paymentNo, refundNo: upstreamNo }, signal),
        )
      : answer
  /** Whether the whole payment is back, also when it was returned outside. */
  const isReturned = async (): Promise<boolean> => {
    const found = await callUpstream(world, limit(), (signal) => channel.query({ attemptNo }, signal))
    // The attempt may have two payments, and the other one may be what was returned.
    return found.kind === 'returned' && found.payment.paymentNo === paymentNo
  }

  // 'done' says how much only where it was asked about; another sum than the whole payment is not this reversal.
  const isDone = stands.kind === 'done' && (!('amountFen' in stands) || stands.amountFen === amountFen)
  if (isDone || (answer.kind === 'refused' && (await isReturned()))) {
    const byUpstream = !isDone
    return endReversal(world, { ...reversal, byUpstream })
  }
  const text = [answerText('refund', answer), ...(stands === answer ? [] : [answerText('query', stands)])].join(
    ', then ',
  )
  world.log.warn({ mchNo, refundNo, answer: text }, 'reversal not done yet')
  await noteAnswers(world.pool, { table: reversal.table, mchNo, answers: [{ no: refundNo, text }], now: world.now() })
  // The upstream ended this refund without sending money, so only a new number can succeed.
  if (stands.kind === 'failed') await renumberAnyReversal(world.pool, reversal, nextUpstreamNumber(upstreamNo))
  return stands.kind === 'processing' && stands.why === undefined ? 'in_progress' : 'retry'
}

/** The money is back: what the books say, and what the merchant is told, in one transaction. */
const endReversal = (world: World, reversal: PlacedReversal): Promise<JobOutcome> =>
  transaction(world.pool, async (db) => {
    const now = world.now()
    // Its rows may have been moved out of the archive while the upstream was asked: then the job looks for them again.
    if (!(await finishAnyReversal(db, reversal, now))) return 'retry'
    await tellSentBack(db, reversal, now)
    return 'done'
  })
