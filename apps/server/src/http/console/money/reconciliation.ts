/**
 * Reconciliation: the differences between the upstreams' bills and our books, payments that belong to no attempt of ours, and
 * settling both by hand.
 */
import { formatYuan } from '@acopay/core'
import type { DifferenceList, ReconciliationList, UnmatchedList } from '@acopay/protocol/console'
import {
  type DifferencePlace,
  listDifferences,
  listReconciliations,
  listUnmatched,
  type UnmatchedPlace,
} from '@acopay/store/read'
import { settleDifference, settleUnmatched } from '../../../actions/reconciliation/settle-difference.ts'
import type { World } from '../../../world.ts'
import {
  type Audited,
  type ConsoleCall,
  type ConsoleEndpoint,
  Failed,
  failed,
  merchantOf,
  oneMerchantOf,
} from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { dayFilterOf, PLACE_MAX, pageOf, placeParts, placeText } from '../places.ts'

async function reconciliations(world: World, call: ConsoleCall): Promise<ReconciliationList | Failed> {
  const filter = dayFilterOf(call)
  if (filter instanceof Failed) return filter
  const found = await listReconciliations(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, ({ day, mchNo, channel }) => [day, mchNo, channel].join('.'))
  return { rows: rows.map(reconciliationRow), next }
}

type Row<List extends { rows: unknown[] }> = List['rows'][number]

const reconciliationRow = (one: Found<typeof listReconciliations>): Row<ReconciliationList> => ({
  mch_no: one.mchNo,
  channel: one.channel,
  day: one.day,
  lines: one.lines,
  differences: one.differences,
  unsettled: one.unsettled,
  done_at: one.doneAt.toISOString(),
})

/** One row of what a reading of the store answers. */
type Found<Read extends (...args: never[]) => Promise<unknown[]>> = Awaited<ReturnType<Read>>[number]

/** The filters of both lists. `placeOf` reads the place after which the page begins. */
function settledFilterOf<Place>({ caller, query, pageMax }: ConsoleCall, placeOf: (text: string) => Place | null) {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const settled = read.word('settled', ['true', 'false'])
  const after = read.text('after', PLACE_MAX)
  const before = after === null ? null : placeOf(after)
  if (after !== null && before === null) {
    read.say('after', '应为上一页的 next', 'should be the next of the page before')
  }
  const filter = {
    mchNo,
    before,
    channel: read.text('channel', 32),
    day: read.day('day'),
    limit: read.limit(pageMax),
    isSettled: settled === null ? null : settled === 'true',
  }
  return read.failed() ?? filter
}

const isWord = (settled: string): boolean => settled === 'true' || settled === 'false'

function differencePlace(text: string): DifferencePlace | null {
  const parts = placeParts(text, 8)
  const [settled = '', day = '', mchNo = '', channel = '', kind = '', attemptNo = '', paymentNo = ''] = parts ?? []
  if (parts === null || !isWord(settled) || fieldsOf({ day }).day('day') === null) return null
  return { isSettled: settled === 'true', day, mchNo, channel, kind, attemptNo, paymentNo, refundNo: parts[7] ?? '' }
}

export async function differences(world: World, call: ConsoleCall): Promise<DifferenceList | Failed> {
  const filter = settledFilterOf(call, differencePlace)
  if (filter instanceof Failed) return filter
  const found = await listDifferences(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, (one) =>
    placeText([
      String(one.isSettled),
      one.day,
      one.mchNo,
      one.channel,
      one.kind,
      one.attemptNo,
      one.paymentNo,
      one.refundNo,
    ]),
  )
  return { rows: rows.map(differenceRow), next }
}

const differenceRow = (one: Found<typeof listDifferences>): Row<DifferenceList> => ({
  mch_no: one.mchNo,
  channel: one.channel,
  day: one.day,
  kind: one.kind,
  attempt_no: one.attemptNo,
  payment_no: one.paymentNo,
  refund_no: one.refundNo,
  transaction_no: one.transactionNo,
  ours: one.oursFen === null ? null : formatYuan(one.oursFen),
  theirs: one.theirsFen === null ? null : formatYuan(one.theirsFen),
  settled: one.isSettled,
  note: one.note,
  settled_by: one.settledBy,
  found_at: one.foundAt.toISOString(),
})

async function settle(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const read = fieldsOf(body)
  const mchNo = oneMerchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const key = {
    mchNo,
    channel: read.needed('channel', 32),
    day: read.day('day') ?? '',
    kind: read.needed('kind', 32),
    attemptNo: read.text('attempt_no', 64) ?? '',
    paymentNo: read.text('payment_no', 64) ?? '',
    refundNo: read.text('refund_no', 64) ?? '',
  }
  if (key.day === '') read.say('day', '不能为空', 'is missing')
  const note = read.needed('note', 500)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isNew = await settleDifference(world, key, { username: caller.username, note })
  return isNew ? {} : failed('CONFLICT', '没有此差异，或已处理', 'There is no such difference, or it is settled')
}

function unmatchedPlace(text: string): UnmatchedPlace | null {
  const [settled = '', reported = '', mchNo = '', channel = '', attemptNo = '', paymentNo] = placeParts(text, 6) ?? []
  const reportedAt = fieldsOf({ reported }).time('reported')
  if (paymentNo === undefined || !isWord(settled) || reportedAt === null) return null
  return { isSettled: settled === 'true', reportedAt, mchNo, channel, attemptNo, paymentNo }
}

export async function unmatchedPayments(world: World, call: ConsoleCall): Promise<UnmatchedList | Failed> {
  const filter = settledFilterOf(call, unmatchedPlace)
  if (filter instanceof Failed) return filter
  const found = await listUnmatched(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, (one) =>
    placeText([
      String(one.isSettled),
      one.reportedAt.toISOString(),
      one.mchNo,
      one.channel,
      one.attemptNo,
      one.paymentNo,
    ]),
  )
  return { rows: rows.map(unmatchedRow), next }
}

const unmatchedRow = (one: Found<typeof listUnmatched>): Row<UnmatchedList> => ({
  mch_no: one.mchNo,
  channel: one.channel,
  attempt_no: one.attemptNo,
  payment_no: one.paymentNo,
  amount: formatYuan(one.amountFen),
  currency: one.currency,
  paid_at: one.paidAt.toISOString(),
  reported_at: one.reportedAt.toISOString(),
  settled: one.isSettled,
  note: one.note,
  settled_by: one.settledBy,
})

async function settleUnmatchedPayment(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const read = fieldsOf(body)
  const mchNo = oneMerchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const key = {
    mchNo,
    channel: read.needed('channel', 32),
    attemptNo: read.text('attempt_no', 64) ?? '',
    paymentNo: read.text('payment_no', 64) ?? '',
  }
  const note = read.needed('note', 500)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isNew = await settleUnmatched(world, key, { username: caller.username, note })
  return isNew ? {} : failed('CONFLICT', '没有此款项，或已处理', 'There is no such payment, or it is settled')
}

const audited =
  (detailOf: (body: Record<string, unknown>) => Record<string, string>) =>
  ({ body }: ConsoleCall): Audited => ({
    mchNo: brief(body.mch_no, 32) || null,
    subject: brief(body.attempt_no, 64) || null,
    detail: detailOf(body),
  })

const brief = (value: unknown, max: number): string => (typeof value === 'string' ? value.slice(0, max) : '')

/** Both ways to settle have one name in the audit log. The detail says what was settled. */
const SETTLES = { method: 'POST', permission: 'reconciliation.settle', action: 'reconciliation.settle' } as const

export const reconciliationEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'reconciliations', permission: 'reconciliation.read', handle: reconciliations },
  { method: 'GET', path: 'differences', permission: 'reconciliation.read', handle: differences },
  {
    ...SETTLES,
    path: 'differences/settle',
    handle: settle,
    audited: audited(({ day, kind }) => ({ day: brief(day, 10), kind: brief(kind, 32) })),
  },
  { method: 'GET', path: 'unmatched-payments', permission: 'reconciliation.read', handle: unmatchedPayments },
  {
    ...SETTLES,
    path: 'unmatched-payments/settle',
    handle: settleUnmatchedPayment,
    audited: audited(({ payment_no }) => ({ kind: 'STRAY', payment_no: brief(payment_no, 64) })),
  },
]
