/** Bills, and what holding the upstreams' bills against our books has shown. */
import { formatYuan } from '@acopay/core'
import type { BillList, DifferenceList, ReconciliationList, StrayList } from '@acopay/protocol/console'
import {
  findBill,
  listBills,
  listDifferences,
  listReconciliations,
  listStrays,
  readBillPart,
  settleDifference,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf } from './call.ts'
import { fieldsOf } from './fields.ts'
import { pageOf } from './lists.ts'

const DIFFERENCES_MAX = 100

/** The merchant, and the place after which the page begins: `day.mch_no.channel`. */
function dayFilterOf({ caller, query }: ConsoleCall) {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const [day = '', ofMerchant = '', channel = ''] = read.text('after', 80)?.split('.') ?? []
  const isPlace = fieldsOf({ day }).day('day') !== null
  if (day !== '' && !isPlace) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const filter = { mchNo, before: day === '' ? null : { day, mchNo: ofMerchant, channel }, limit: read.limit() }
  return read.failed() ?? filter
}

async function bills(world: World, call: ConsoleCall): Promise<BillList | Failed> {
  const filter = dayFilterOf(call)
  if (filter instanceof Failed) return filter
  const found = await listBills(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, ({ day, mchNo }) => `${day}.${mchNo}`)
  const shown = rows.map((one) => ({
    ...{ mch_no: one.mchNo, bill_day: one.day, lines: Number(one.lines), size_bytes: Number(one.sizeBytes) },
    ...{ sha256: one.sha256, made_at: one.madeAt.toISOString(), has_file: one.fileNo !== null },
  }))
  return { rows: shown, next }
}

/** Where the file can be fetched for the next half hour: the merchant's own link. */
async function billLink(world: World, { caller, path }: ConsoleCall): Promise<{ url: string } | Failed> {
  const { mch_no = '', bill_day = '' } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const day = fieldsOf({ bill_day }).day('bill_day')
  const key = { mchNo: mch_no, day: day ?? '' }
  const bill = day === null ? null : await findBill(world.pool, key)
  const { fileNo = null } = bill ?? {}
  if (fileNo === null || (await readBillPart(world.pool, key, fileNo, 1)) === null) {
    return failed('NOT_FOUND', '没有此账单文件，或已超过保存期', 'There is no such file, or it was kept long enough')
  }
  return { url: world.billUrl(key) }
}

async function reconciliations(world: World, call: ConsoleCall): Promise<ReconciliationList | Failed> {
  const filter = dayFilterOf(call)
  if (filter instanceof Failed) return filter
  const found = await listReconciliations(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, ({ day, mchNo, channel }) => [day, mchNo, channel].join('.'))
  const shown = rows.map((one) => ({
    ...{ mch_no: one.mchNo, channel: one.channel, day: one.day, lines: one.lines, differences: one.differences },
    ...{ unsettled: one.unsettled, done_at: one.doneAt.toISOString() },
  }))
  return { rows: shown, next }
}

async function differences(world: World, { caller, query }: ConsoleCall): Promise<DifferenceList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const settled = read.word('settled', ['true', 'false'])
  const filter = { mchNo, channel: read.text('channel', 32), day: read.day('day') }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isSettled = settled === null ? null : settled === 'true'
  const found = await listDifferences(world.pool, { ...filter, isSettled }, DIFFERENCES_MAX)
  const rows = found.map((one) => ({
    ...{ mch_no: one.mchNo, channel: one.channel, day: one.day, kind: one.kind, attempt_no: one.attemptNo },
    ...{ payment_no: one.paymentNo, refund_no: one.refundNo, transaction_no: one.transactionNo },
    ours: one.oursFen === null ? null : formatYuan(one.oursFen),
    theirs: one.theirsFen === null ? null : formatYuan(one.theirsFen),
    ...{ settled: one.isSettled, note: one.note, settled_by: one.settledBy, found_at: one.foundAt.toISOString() },
  }))
  return { rows, next: null }
}

async function settle(world: World, { caller, body }: ConsoleCall): Promise<object | Failed> {
  const read = fieldsOf(body)
  const mchNo = merchantOf(caller, read.needed('mch_no', 32))
  if (mchNo instanceof Failed) return mchNo
  const key = {
    ...{
      mchNo: mchNo ?? '',
      channel: read.needed('channel', 32),
      day: read.day('day') ?? '',
      kind: read.needed('kind', 32),
    },
    ...{ attemptNo: read.text('attempt_no', 64) ?? '', paymentNo: read.text('payment_no', 64) ?? '' },
    refundNo: read.text('refund_no', 64) ?? '',
  }
  if (key.day === '') read.say('day', '不能为空', 'is missing')
  const note = read.needed('note', 500)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const isNew = await settleDifference(world.pool, key, { username: caller.username, note }, world.now())
  return isNew ? {} : failed('CONFLICT', '没有此差异，或已处理', 'There is no such difference, or it is settled')
}

async function strays(world: World, { caller, query }: ConsoleCall): Promise<StrayList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const rows = (await listStrays(world.pool, mchNo, limit)).map((one) => ({
    ...{ mch_no: one.mchNo, channel: one.channel, attempt_no: one.attemptNo, payment_no: one.paymentNo },
    ...{ amount: formatYuan(one.amountFen), currency: one.currency },
    ...{ paid_at: one.paidAt.toISOString(), heard_at: one.heardAt.toISOString() },
  }))
  return { rows, next: null }
}

export const financeEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'bills', permission: 'bills.read', handle: bills },
  { method: 'GET', path: 'bills/:mch_no/:bill_day/link', permission: 'bills.read', handle: billLink },
  { method: 'GET', path: 'reconciliations', permission: 'reconciliation.read', handle: reconciliations },
  { method: 'GET', path: 'differences', permission: 'reconciliation.read', handle: differences },
  {
    method: 'POST',
    path: 'differences/settle',
    permission: 'reconciliation.settle',
    action: 'reconciliation.settle',
    audited: ({ body }) => ({
      mchNo: String(body.mch_no ?? '').slice(0, 32) || null,
      subject: String(body.attempt_no ?? '').slice(0, 64) || null,
      detail: { day: String(body.day ?? '').slice(0, 10), kind: String(body.kind ?? '').slice(0, 32) },
    }),
    handle: settle,
  },
  { method: 'GET', path: 'strays', permission: 'reconciliation.read', handle: strays },
]
