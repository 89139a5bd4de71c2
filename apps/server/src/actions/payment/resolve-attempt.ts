/** Queries an attempt whose create was never answered, and writes the state that the upstream reports. */
import { type JobOutcome, provesClosed } from '@acopay/core'
import { findAttempt, noteAnswers } from '@acopay/store'
import { answerText, callUpstream, channelOrThrow, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import { receivePayment } from './receive-payment.ts'
import { writeOpened } from './start-payment.ts'

export async function resolveAttempt(world: World, key: { mchNo: string; attemptNo: string }): Promise<JobOutcome> {
  const { mchNo, attemptNo } = key
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  if (attempt === null) throw new Error(`no attempt ${attemptNo}`)
  if (attempt.state !== 'OPENING') return 'done'
  const channel = await channelOrThrow(world, attempt)

  // An answer is about the moment when the query was sent, not when it is read.
  const askedMs = world.sureNow().getTime()
  const answer = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.query({ attemptNo }, signal),
  )
  const { transactionNo } = attempt
  if (answer.kind === 'paid' || answer.kind === 'returned') {
    const isReturned = answer.kind === 'returned'
    await receivePayment(world, { mchNo, transactionNo, attemptNo, payment: answer.payment, isReturned })
    return 'done'
  }
  if (answer.kind === 'open') {
    await writeOpened(world, { mchNo, transactionNo }, attemptNo, { kind: 'opened', payUrl: null })
    return 'done'
  }
  const answers = [{ no: attemptNo, text: answerText('query', answer) }]
  await noteAnswers(world.pool, { table: 'attempt', mchNo, answers, now: world.now() })
  if (!provesClosed(answer.kind, askedMs, attempt.createInFlightUntil.getTime())) return 'retry'
  await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'all_shut', attemptNos: [attemptNo], said: [] })
  return 'done'
}
