/** Writes an event's rows in other tables than `orders`: attempts, payments, reversals, refunds, each with its job. */
import type { Fen } from '@acopay/core'
import {
  type Attempt,
  attemptsOf,
  bookPayment,
  correctRefund,
  endRefund,
  type FoundRefund,
  insertAttempt,
  insertLeasedJob,
  insertRefund,
  insertReversal,
  type Move,
  moveAttempt,
  type Order,
  removeJob,
} from '@acopay/store'
import { platformNumber } from '../../security/numbers.ts'
import type { AskedRefund, Change, MoneyArrived, NewAttempt } from './events.ts'

/** What the event changes in the order's own row; an absent field stays. */
export type Applied = { attempts?: number; paid?: Move['paid'] }

/** Call it only for the step that belongs to the event, not for an expiry before it. */
export async function applyEvent(change: Change): Promise<Applied> {
  const { event } = change
  switch (event.event) {
    case 'pay_started':
      return startAttempt(change, event.attempt)
    case 'money_arrived':
      return change.step.event === 'money_returned' ? writeReversal(change, event) : bookMoney(change, event)
    case 'refund_asked':
      return startRefund(change, event.refund)
    case 'refund_done':
      return event.isCorrection ? makeGood(change) : finishRefund(change, null)
    case 'refund_failed':
      return finishRefund(change, event.failure)
    case 'close_asked':
    case 'expired':
    case 'all_shut':
      return {}
  }
}

async function startAttempt({ world, db, order, now }: Change, attempt: NewAttempt): Promise<Applied> {
  const { mchNo } = order
  await insertAttempt(db, newAttempt(order, attempt, now))
  // The caller opens the attempt upstream and removes the job when the answer comes; without an answer the job queries.
  const resolveAt = new Date(now.getTime() + 2 * world.limits.channelCallMs)
  await insertLeasedJob(db, { mchNo, kind: 'resolve_attempt', subject: attempt.attemptNo }, resolveAt, now)
  return { attempts: 1 }
}

const newAttempt = (order: Order, attempt: NewAttempt, now: Date): Attempt => ({
  ...attempt,
  mchNo: order.mchNo,
  transactionNo: order.transactionNo,
  amountFen: order.amountFen as Fen,
  state: 'OPENING',
  payUrl: null,
  upstreamExpire: order.timeExpire,
  createdAt: now,
})

/** Books a payment of an attempt: as the kept payment, or with a reversal. */
async function bookMoney(change: Change, event: MoneyArrived): Promise<Applied> {
  const { db, order, now } = change
  const { mchNo, transactionNo } = order
  const { attemptNo, payment } = event
  const attempt = (await attemptsOf(db, mchNo, transactionNo)).find((one) => one.attemptNo === attemptNo)
  if (attempt === undefined) throw new Error(`order ${transactionNo} has no attempt ${attemptNo}`)
  const fate = change.step.money ?? 'reverse'
  await moveAttempt(db, attempt, { event: 'paid', payUrl: null, now })
  await bookPayment(db, { mchNo, attemptNo, transactionNo, ...payment }, fate, now)
  if (fate === 'reverse') return writeReversal(change, event)
  const { channel: payChannel, method: payMethod } = attempt
  return { paid: { successTime: payment.paidAt, payer: payment.payer, payChannel, payMethod } }
}

/** Writes a reversal and the job that sends it. Where the money is back already, only the row. */
async function writeReversal(change: Change, { attemptNo, payment, isReturned }: MoneyArrived): Promise<Applied> {
  const { world, db, now } = change
  const { mchNo, transactionNo } = change.order
  const refundNo = platformNumber('AR', now, world.newDigits(19))
  const { paymentNo, amountFen } = payment
  const state = isReturned ? 'SUCCESS' : 'PROCESSING'
  const reversal = { mchNo, refundNo, transactionNo, attemptNo, paymentNo, amountFen, state } as const
  await insertReversal(db, { ...reversal, byUpstream: isReturned }, now)
  if (!isReturned) await insertLeasedJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo }, now, now)
  return {}
}

/** Writes a refund and the job that sends it. */
async function startRefund({ world, db, order, loaded, now }: Change, asked: AskedRefund): Promise<Applied> {
  const { kept } = loaded
  const { mchNo, transactionNo, appNo, mchTradeNo, payChannel } = order
  if (kept === null || payChannel === null) throw new Error(`order ${transactionNo} is paid but has no kept payment`)
  const { attemptNo, paymentNo, paidFen: totalFen } = kept
  const refund = { ...asked, mchNo, transactionNo, attemptNo, paymentNo }
  await insertRefund(db, refund, now)
  loaded.refund = {
    ...refund,
    appNo,
    mchTradeNo,
    channel: payChannel,
    totalFen,
    state: 'PROCESSING',
    refusal: null,
    successTime: null,
  }
  // The caller sends the refund at once and holds the job's first lease.
  const heldUntil = new Date(now.getTime() + world.limits.leaseMs)
  await insertLeasedJob(db, { mchNo, kind: 'send_refund', subject: asked.refundNo }, heldUntil, now)
  return {}
}

/** `failure`: why the upstream will not make the refund; null where the payer has the money. */
async function finishRefund({ db, loaded, now }: Change, failure: string | null): Promise<Applied> {
  const refund = loaded.refund as FoundRefund
  const { mchNo, refundNo } = refund
  await endRefund(db, { mchNo, refundNo }, failure, now)
  loaded.refund = {
    ...refund,
    state: failure === null ? 'SUCCESS' : 'FAIL',
    successTime: failure === null ? now : null,
  }
  await removeJob(db, { mchNo, kind: 'send_refund', subject: refundNo })
  return {}
}

/** A refund that the books called failed is done after all. */
async function makeGood({ db, loaded, now }: Change): Promise<Applied> {
  const refund = loaded.refund as FoundRefund
  await correctRefund(db, refund, now)
  loaded.refund = { ...refund, state: 'SUCCESS', successTime: now }
  return {}
}
