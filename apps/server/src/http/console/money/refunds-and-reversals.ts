/** Two lists of the console: refunds, and reversals (payments that are returned to the payer). */
import { formatYuan } from '@acopay/core'
import type { RefundList, RefundRow, ReversalList, ReversalRow } from '@acopay/protocol/console'
import {
  behind,
  FIRST_REFUND,
  findAnyReversal,
  LAST_REFUND,
  type LastAnswer,
  listRefunds,
  listReversals,
} from '@acopay/store/read'
import { settleReversal } from '../../../actions/refund/settle-reversal.ts'
import { platformNumber } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf, oneMerchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { stuckBefore } from '../system/stuck.ts'

type Found<Part> = Part & { mchNo: string; transactionNo: string }

export const refundRow = (
  one: Found<Awaited<ReturnType<typeof listRefunds>>['rows'][number]>,
  now: Date,
): RefundRow => ({
  mch_no: one.mchNo,
  transaction_no: one.transactionNo,
  refund_no: one.refundNo,
  mch_refund_no: one.mchRefundNo,
  attempt_no: one.attemptNo,
  channel: one.channel,
  amount: formatYuan(one.amountFen),
  reason: one.reason,
  state: one.state,
  failure: one.failure,
  created_at: one.createdAt.toISOString(),
  success_time: one.successTime?.toISOString() ?? null,
  is_stuck: isStuck(one, now),
  ...saidOf(one),
})

export const reversalRow = (
  one: Found<Awaited<ReturnType<typeof listReversals>>['rows'][number]>,
  now: Date,
): ReversalRow => ({
  mch_no: one.mchNo,
  transaction_no: one.transactionNo,
  refund_no: one.refundNo,
  attempt_no: one.attemptNo,
  payment_no: one.paymentNo,
  channel: one.channel,
  amount: formatYuan(one.amountFen),
  state: one.state,
  by_upstream: one.byUpstream,
  created_at: one.createdAt.toISOString(),
  changed_at: one.changedAt.toISOString(),
  is_stuck: isStuck(one, now),
  ...saidOf(one),
})

/** The upstream's last answer about a refund, reversal or attempt that has not succeeded. */
export const saidOf = ({ lastAnswer, lastAnswerAt }: LastAnswer) => ({
  last_answer: lastAnswer,
  last_answer_at: lastAnswerAt?.toISOString() ?? null,
})

const isStuck = ({ state, createdAt }: { state: string; createdAt: Date }, now: Date): boolean =>
  state === 'PROCESSING' && createdAt < stuckBefore(now)

/** A page of a rare kind reads at most this many. */
const EXAMINED = 20_000

/** The smallest number that a refund of this moment or later can have: numbers begin with the time. */
const numberAt = (at: Date | null): string | null => (at === null ? null : platformNumber('AR', at, ''))

function filterOf({ caller, query, pageMax }: ConsoleCall, now: Date) {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const times = read.times()
  const [from, until] = [numberAt(times.from) ?? FIRST_REFUND, numberAt(times.until) ?? LAST_REFUND]
  const isOldestFirst = read.word('sort', ['oldest']) !== null
  const after = read.text('after', 38)
  const filter = {
    mchNo,
    number: read.text('number', 64),
    isOldestFirst,
    ...(isOldestFirst
      ? { from: after !== null && after > from ? behind(after) : from, before: until }
      : { from, before: after !== null && after < until ? after : until }),
    state: read.word('state', ['PROCESSING', 'SUCCESS', 'FAIL', 'STUCK']),
    channel: read.text('channel', 32),
    appNo: read.text('app_no', 32),
    ...read.amounts(),
    limit: read.limit(pageMax),
    stuckBefore: stuckBefore(now),
  }
  return read.failed() ?? filter
}

export async function refunds(world: World, call: ConsoleCall): Promise<RefundList | Failed> {
  const now = world.now()
  const filter = filterOf(call, now)
  if (filter instanceof Failed) return filter
  const { rows, next } = await listRefunds(world.pool, filter, filter.limit, EXAMINED)
  return { rows: rows.map((one) => refundRow(one, now)), next }
}

export async function reversals(world: World, call: ConsoleCall): Promise<ReversalList | Failed> {
  const now = world.now()
  const filter = filterOf(call, now)
  if (filter instanceof Failed) return filter
  const { rows, next } = await listReversals(world.pool, filter, filter.limit, EXAMINED)
  return { rows: rows.map((one) => reversalRow(one, now)), next }
}

/** Only a stuck reversal can be settled by hand: one that the upstream still works on would be returned twice. */
async function settle(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const read = fieldsOf(body)
  const mchNo = oneMerchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const [refundNo, note] = [read.needed('refund_no', 38), read.needed('note', 200)]
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await findAnyReversal(world.pool, mchNo, refundNo)
  if (found === null) return failed('NOT_FOUND', '没有此退回', 'There is no such reversal')
  if (!isStuck(found, world.now())) {
    return failed('CONFLICT', '款项已退回，或仍在处理，请稍候', 'It is back, or still young: wait for it')
  }
  const settled = { mchNo: found.mchNo, refundNo, by: caller.username, note }
  return (await settleReversal(world, settled)) ? {} : failed('CONFLICT', '款项已退回', 'It is back already')
}

export const listEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'refunds', permission: 'orders.read', handle: refunds },
  { method: 'GET', path: 'reversals', permission: 'orders.read', handle: reversals },
  {
    method: 'POST',
    path: 'reversals/settle',
    permission: 'reconciliation.settle',
    action: 'reversals.settle',
    audited: ({ body: { mch_no, refund_no } }) => ({
      mchNo: typeof mch_no === 'string' ? mch_no.slice(0, 32) : null,
      subject: typeof refund_no === 'string' ? refund_no.slice(0, 38) : null,
    }),
    handle: settle,
  },
]
