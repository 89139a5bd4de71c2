/**
 * Refunds above an amount need two people: one asks, another one confirms. Until then nothing has happened to the order; what is
 * confirmed is an ordinary refund under the number that was asked for, so that a confirmation that is repeated makes no second one.
 */
import { fen } from '@acopay/core'
import { findOrder } from '@acopay/store'
import {
  addRefundRequest,
  findRefundRequest,
  type RefundRequest,
  type RefundRequestKey,
  removeRefundRequest,
} from '@acopay/store/console'
import type { World } from '../../world.ts'
import { type RefundOutcome, refundOrder } from './refund-order.ts'

/** 'differs': the number is taken by a request for something else. Repeating a request changes nothing. */
export async function askForRefund(
  world: World,
  asked: Omit<RefundRequest, 'askedAt'>,
): Promise<'waiting' | 'differs'> {
  if (await addRefundRequest(world.pool, { ...asked, askedAt: world.now() })) return 'waiting'
  const found = await findRefundRequest(world.pool, asked)
  const isSame =
    found?.transactionNo === asked.transactionNo &&
    found.amountFen === asked.amountFen &&
    found.reason === asked.reason &&
    found.askedBy === asked.askedBy
  return isSame ? 'waiting' : 'differs'
}

/** 'own': who asked cannot confirm. A refund that is refused leaves the request, which says what was wanted. */
export async function confirmRefund(
  world: World,
  key: RefundRequestKey,
  by: string,
): Promise<RefundOutcome | { kind: 'own' }> {
  const request = await findRefundRequest(world.pool, key)
  if (request === null) return { kind: 'absent' }
  if (request.askedBy === by) return { kind: 'own' }
  const { mchNo, transactionNo, mchRefundNo, amountFen, reason } = request
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  if (order === null) throw new Error(`order ${transactionNo} of refund request ${mchRefundNo} does not exist`)
  const { notifyUrl } = order
  const refunded = await refundOrder(world, {
    ...{ mchNo, nonce: null, ref: { transactionNo }, notifyUrl },
    ...{ mchRefundNo, amountFen: fen(amountFen), reason },
  })
  if (refunded.kind === 'refund') await removeRefundRequest(world.pool, key)
  return refunded
}

/** Gives up a request; anybody who may confirm it may, and who asked. False when there is none. */
export const dropRefundRequest = (world: World, key: RefundRequestKey): Promise<boolean> =>
  removeRefundRequest(world.pool, key)
