/** Bills: the list, the file, and a day's sums in our books beside those in the upstreams' bills. */
import { dayBounds, formatYuan } from '@acopay/core'
import type { BillComparison, BillList, BillRow, ComparedChannel, CountedAmount } from '@acopay/protocol/console'
import {
  type BilledChannel,
  type BillKey,
  billedChannels,
  findBill,
  findListedBill,
  type ListedBill,
  listBills,
  readBillPart,
  type UpstreamDay,
  upstreamDays,
} from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { dayFilterOf, pageOf } from '../places.ts'

/** The sums of a bill with more lines are not computed during a call. The last lines of its file hold them. */
const COMPARED_LINES_MAX = 500_000n

const billRow = (one: ListedBill): BillRow => ({
  mch_no: one.mchNo,
  bill_day: one.day,
  lines: Number(one.lines),
  size_bytes: Number(one.sizeBytes),
  sha256: one.sha256,
  made_at: one.madeAt.toISOString(),
  has_file: one.hasFile,
})

export async function bills(world: World, call: ConsoleCall): Promise<BillList | Failed> {
  const filter = dayFilterOf(call)
  if (filter instanceof Failed) return filter
  const found = await listBills(world.pool, filter, filter.limit + 1)
  const { rows, next } = pageOf(found, filter.limit, ({ day, mchNo }) => `${day}.${mchNo}`)
  return { rows: rows.map(billRow), next }
}

/** The bill in a call's path, if the caller may see its merchant. A text that is no day names no bill. */
function keyOf({ caller, path }: ConsoleCall): BillKey | Failed {
  const { mch_no = '', bill_day = '' } = path
  const mchNo = merchantOf(caller, mch_no)
  if (mchNo instanceof Failed) return mchNo
  const day = fieldsOf({ bill_day }).day('bill_day')
  return day === null ? ABSENT() : { mchNo: mch_no, day }
}

const ABSENT = () =>
  failed('NOT_FOUND', '没有此账单文件，或已超过保存期', 'There is no such file, or it was kept long enough')

/** The link to the file, the same that the merchant gets. It works for half an hour. */
async function billLink(world: World, call: ConsoleCall): Promise<{ url: string } | Failed> {
  const key = keyOf(call)
  if (key instanceof Failed) return key
  const fileNo = (await findBill(world.pool, key))?.fileNo ?? null
  if (fileNo === null || (await readBillPart(world.pool, key, { fileNo, seq: 1 })) === null) return ABSENT()
  return { url: world.billUrl(key) }
}

async function comparison(world: World, call: ConsoleCall): Promise<BillComparison | Failed> {
  const key = keyOf(call)
  if (key instanceof Failed) return key
  const bill = await findListedBill(world.pool, key)
  if (bill === null) return failed('NOT_FOUND', '没有此账单', 'There is no such bill')
  const { fromMs, untilMs } = dayBounds(key.day)
  const bounds = { from: new Date(fromMs), until: new Date(untilMs) }
  const isTooLong = bill.lines > COMPARED_LINES_MAX
  const ours = isTooLong ? [] : await billedChannels(world.pool, key, bounds)
  const theirs = await upstreamDays(world.pool, key, bounds.until)
  const names = [...new Set([...theirs, ...ours].map(({ channel }) => channel))].sort()
  const channels = names.map((channel): ComparedChannel => {
    const own = ours.find((one) => one.channel === channel) ?? { ...NOTHING, channel }
    const other = theirs.find((one) => one.channel === channel)
    return { channel, ours: isTooLong ? null : oursOf(own), theirs: other === undefined ? null : theirsOf(other) }
  })
  return { ...billRow(bill), channels }
}

const NOTHING: Omit<BilledChannel, 'channel'> = {
  paid: 0n,
  paidFen: 0n,
  refunded: 0n,
  refundedFen: 0n,
  earlier: 0n,
  earlierFen: 0n,
  later: 0n,
  laterFen: 0n,
}

const counted = (count: bigint | number, amountFen: bigint): CountedAmount => ({
  count: Number(count),
  amount: formatYuan(amountFen),
})

const oursOf = (one: BilledChannel): ComparedChannel['ours'] => ({
  paid: counted(one.paid, one.paidFen),
  refunded: counted(one.refunded, one.refundedFen),
  earlier: counted(one.earlier, one.earlierFen),
  later: counted(one.later, one.laterFen),
})

function theirsOf(one: UpstreamDay): ComparedChannel['theirs'] {
  if (one.doneAt === null) return null
  const { paidLines, paidFen, refundedLines, refundedFen, differences, unsettled } = one
  return {
    lines: one.lines ?? 0,
    paid: paidLines === null || paidFen === null ? null : counted(paidLines, paidFen),
    refunded: refundedLines === null || refundedFen === null ? null : counted(refundedLines, refundedFen),
    differences,
    unsettled,
    done_at: one.doneAt.toISOString(),
  }
}

export const financeEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'bills', permission: 'bills.read', handle: bills },
  { method: 'GET', path: 'bills/:mch_no/:bill_day/link', permission: 'bills.read', handle: billLink },
  // Merchants may not see what reconciliation found.
  { method: 'GET', path: 'bills/:mch_no/:bill_day/comparison', permission: 'reconciliation.read', handle: comparison },
]
