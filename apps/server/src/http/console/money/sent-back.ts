/** The list of payments that went back by themselves: late, second, of a wrong amount, or returned outside. */
import { formatYuan } from '@acopay/core'
import { type SentBackList, type SentBackRow, whySentBack } from '@acopay/protocol/console'
import { FIRST_REVERSAL, LAST_REVERSAL, listSentBack, type SentBack } from '@acopay/store/read'
import { platformNumber } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'
import { stuckBefore } from '../system/stuck.ts'
import { saidOf } from './refunds-and-reversals.ts'

const second = (at: Date): number => Math.floor(at.getTime() / 1000)
/** Upstreams tell whole seconds, so the fractions of ours do not count. */
const seconds = (from: Date, until: Date): number => second(until) - second(from)

function rowOf(one: SentBack, now: Date): SentBackRow {
  const isBack = one.state === 'SUCCESS'
  return {
    mch_no: one.mchNo,
    transaction_no: one.transactionNo,
    mch_trade_no: one.mchTradeNo,
    why: whySentBack({
      order_closed: one.orderState === 'CLOSED',
      order_amount: formatYuan(one.orderFen),
      amount: formatYuan(one.amountFen),
      currency: one.currency,
      was_kept: one.fate === 'keep',
      came_returned: one.byUpstream && +one.createdAt === +one.changedAt,
    }),
    channel: one.channel,
    method: one.method,
    payment_no: one.paymentNo,
    amount: formatYuan(one.amountFen),
    currency: one.currency,
    paid_at: one.paidAt.toISOString(),
    booked_at: one.bookedAt.toISOString(),
    closed_at: one.closedAt?.toISOString() ?? null,
    after_close_s: one.closedAt === null ? null : seconds(one.closedAt, one.paidAt),
    archive_no: one.archiveNo,
    state: one.state,
    is_stuck: !isBack && one.createdAt < stuckBefore(now),
    by_upstream: one.byUpstream,
    refund_no: one.refundNo,
    upstream_no: one.upstreamNo,
    asked_at: one.createdAt.toISOString(),
    back_at: isBack ? one.changedAt.toISOString() : null,
    took_s: isBack ? seconds(one.createdAt, one.changedAt) : null,
    ...saidOf(one),
  }
}

const numberAt = (at: Date | null): string | null => (at === null ? null : platformNumber('AR', at, ''))

async function sentBack(world: World, { caller, query }: ConsoleCall): Promise<SentBackList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const { from, until } = read.times()
  const ends = [numberAt(until), read.text('after', 38)].filter((one) => one !== null).sort()
  const filter = {
    mchNo,
    state: read.word('state', ['PROCESSING', 'SUCCESS', 'STUCK']),
    from: numberAt(from) ?? FIRST_REVERSAL,
    before: ends[0] ?? LAST_REVERSAL,
  }
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const now = world.now()
  const found = await listSentBack(world.pool, filter, stuckBefore(now), limit + 1)
  return pageOf(
    found.map((one) => rowOf(one, now)),
    limit,
    ({ refund_no }) => refund_no,
  )
}

export const sentBackEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'sent-back', permission: 'orders.read', handle: sentBack },
]
