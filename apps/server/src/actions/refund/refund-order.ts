/** Refunds a paid order, for a merchant (spec/protocol.md 3.4). The merchant's refund number makes repeats harmless. */
import type { Fen, OrderRef } from '@acopay/core'
import { type FoundRefund, findArchivedRefund, findRefund, isRefundNoTaken } from '@acopay/store'
import { refundNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'
import { type Changed, changeOrder } from '../order/change-order.ts'
import type { Refused } from '../order/events.ts'
import { sendFirstRefund } from './send-refund.ts'

export type RefundAsk = {
  mchNo: string
  /** Null: the console asks. */
  nonce: string | null
  ref: OrderRef
  mchRefundNo: string
  amountFen: Fen
  reason: string
  notifyUrl: string | null
}

export type RefundOutcome =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  | { kind: 'refused'; why: Exclude<Refused, 'SECOND_PERSON'> }
  /** A refund with this number exists and differs from the request; `field` is the first field that differs. */
  | { kind: 'differs'; field: string }
  /** The refund's current state: done, failed, or PROCESSING, and then its job calls the upstream again. */
  | { kind: 'refund'; refund: FoundRefund }

export async function refundOrder(world: World, ask: RefundAsk): Promise<RefundOutcome> {
  const refunded = await refundUpTo(world, ask, null)
  if (refunded.kind === 'second_person') throw new Error('a refund without a bound was above its bound')
  return refunded
}

/**
 * `aloneUpToFen`: the most that one person may refund of an order, in all its refunds together, so that a large refund cannot be cut
 * into small ones; null: no bound. A refund above it changes nothing and is answered 'second_person'.
 */
export async function refundUpTo(
  world: World,
  ask: RefundAsk,
  aloneUpToFen: bigint | null,
): Promise<RefundOutcome | { kind: 'second_person' }> {
  const { mchNo, ref, nonce, mchRefundNo, amountFen, reason, notifyUrl } = ask
  const now = world.now()
  const refundNo = refundNumber(world.keyedDigits, ask, now)
  const inFlightUntil = new Date(now.getTime() + world.limits.channelCallMs)
  const refund = { refundNo, mchRefundNo, amountFen, reason, notifyUrl, inFlightUntil }
  const key = nonce === null ? { mchNo, ref } : { mchNo, ref, nonce }
  const asked = await changeOrder(world, key, { event: 'refund_asked', refund, aloneUpToFen }).catch(takenElsewhere)
  if (asked !== 'taken') {
    if (asked.kind !== 'answered') return asked
    if (asked.refused === 'SECOND_PERSON') return { kind: 'second_person' }
    if (asked.refused !== null) return { kind: 'refused', why: asked.refused }
    const isNew = asked.steps.some(({ event }) => event === 'refund_asked')
    if (isNew && asked.refund !== null) return { kind: 'refund', refund: await sendFirstRefund(world, asked.refund) }
  }
  const found = asked === 'taken' ? await findRefund(world.pool, mchNo, { mchRefundNo }) : asked.refund
  if (found === null) return ofArchived(world, ask)
  const field = differingField(found, ask, asked)
  return field === null ? { kind: 'refund', refund: found } : { kind: 'differs', field }
}

/** A refund of an archived order had this number, and so one of another order. */
async function ofArchived({ pool }: World, { mchNo, mchRefundNo, ref }: RefundAsk): Promise<RefundOutcome> {
  if ((await findArchivedRefund(pool, mchNo, { mchRefundNo })) === null)
    throw new Error(`refund ${mchRefundNo} was neither written nor found`)
  return { kind: 'differs', field: 'transactionNo' in ref ? 'transaction_no' : 'mch_trade_no' }
}

/** A request for another order used the number at the same moment, and the unique key has refused ours. */
function takenElsewhere(error: unknown): 'taken' {
  if (!isRefundNoTaken(error)) throw error
  return 'taken'
}

/** Null when the refund is the one that the merchant asks for. */
function differingField(found: FoundRefund, ask: RefundAsk, asked: Changed | 'taken'): string | null {
  const isSameOrder =
    asked !== 'taken' && asked.kind === 'answered' && asked.order.transactionNo === found.transactionNo
  if (!isSameOrder) return 'transactionNo' in ask.ref ? 'transaction_no' : 'mch_trade_no'
  if (found.amountFen !== ask.amountFen) return 'refund_amount'
  if (found.reason !== ask.reason) return 'refund_reason'
  return found.notifyUrl === ask.notifyUrl ? null : 'notify_url'
}
