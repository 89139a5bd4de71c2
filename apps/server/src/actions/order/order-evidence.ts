/**
 * The evidence about one order that can be handed on: a signed statement, and the timeline whose last hash the statement has, so
 * that it can be verified without the gateway.
 */
import { formatYuan } from '@acopay/core'
import { type AnswerData, type Envelope, signedBody, timeText } from '@acopay/protocol'
import { findOrder, type Order, readTimeline } from '@acopay/store'
import { readOrderParts } from '@acopay/store/console'
import type { World } from '../../world.ts'
import { brokenEntry } from './check-timeline.ts'
import { closeEvidence } from './close-evidence.ts'

/** The name of the statement's kind is signed with it, so that no other answer of the gateway can pass for one. */
const EVIDENCE_KIND = 'acopay order evidence v1'

/** `timeline`: the exact bytes of each entry, which its hash covers. */
export type OrderEvidence = { kind: string; key_id: string; statement: Envelope; timeline: string[] }

/** A payment that went back, as the statement lists it. */
export type StatedReturn = {
  payment_no: string
  channel: string
  amount: string
  currency: string
  paid_at: string
  refund_no: string
  state: string
  /** `null` while it is on its way. */
  back_at: string | null
}

type Parts = Awaited<ReturnType<typeof readOrderParts>>

/** Null when there is no such order; `nothing` when it is not closed and nothing was sent back. Throws when the timeline was changed. */
export async function orderEvidence(
  world: World,
  ask: { mchNo: string; transactionNo: string },
): Promise<OrderEvidence | 'nothing' | null> {
  const { mchNo, transactionNo } = ask
  const parts = await readOrderParts(world.pool, mchNo, transactionNo)
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  if (order === null) return null
  if (order.state !== 'CLOSED' && parts.reversals.length === 0) return 'nothing'
  const timeline = await readTimeline(world.pool, mchNo, transactionNo)
  const broken = await brokenEntry(world, order, timeline)
  if (broken !== null) throw new Error(`the timeline of ${transactionNo} is broken at entry ${broken}`)
  const { keyId, sign } = world.signingKey()
  const facts = { ...factsOf(order, world.now()), ...(await closeOf(world, order)), sent_back: returnsOf(parts) }
  const statement = await signedBody(facts, { mchNo, nonce: world.newNonce(), sign })
  return {
    kind: EVIDENCE_KIND,
    key_id: keyId,
    statement: JSON.parse(statement) as Envelope,
    timeline: timeline.map(({ entry }) => entry),
  }
}

const factsOf = (order: Order, now: Date): AnswerData => ({
  evidence: EVIDENCE_KIND,
  made_at: timeText(now),
  transaction_no: order.transactionNo,
  mch_trade_no: order.mchTradeNo,
  amount_total: formatYuan(order.amountFen),
  amount_currency: 'CNY',
  state: order.state,
  success_time: order.successTime === null ? null : timeText(order.successTime),
  timeline_length: String(order.headSeq),
  timeline_hash: order.headHash.toString('hex'),
})

/** How and when it was closed; all null for an order that is not. */
async function closeOf(world: World, { mchNo, transactionNo }: Order): Promise<AnswerData> {
  const close = await closeEvidence(world, { mchNo, ref: { transactionNo } })
  if (close === null || close === 'open')
    return { close_reason: null, fence_time: null, close_time: null, upstream_answers: null }
  return {
    close_reason: close.order.closeReason,
    fence_time: timeText(close.fencedAt),
    close_time: timeText(close.closedAt),
    upstream_answers: JSON.stringify(close.said),
  }
}

/** A JSON list, because every value of a signed answer is text. */
function returnsOf({ payments, reversals }: Parts): string {
  const listed = reversals.map((one): StatedReturn => {
    const payment = payments.find(
      ({ attemptNo, paymentNo }) => attemptNo === one.attemptNo && paymentNo === one.paymentNo,
    )
    return {
      payment_no: one.paymentNo,
      channel: one.channel,
      amount: formatYuan(one.amountFen),
      currency: payment?.currency ?? 'CNY',
      paid_at: timeText(payment?.paidAt ?? one.createdAt),
      refund_no: one.refundNo,
      state: one.state,
      back_at: one.state === 'SUCCESS' ? timeText(one.changedAt) : null,
    }
  })
  return JSON.stringify(listed)
}
