/** Checks a month's file without a database: every checksum, every timeline's chain up to its order's head, and the heads of its days. */
import { dayOf } from '@acopay/core'
import { brokenAt, type OrderRows, type TimelineEntry } from '@acopay/store'
import { DayDigest, type TimelineHead } from '../../actions/audit/day-heads.ts'
import type { Unlock } from '../archive/encryption.ts'
import { type MonthHeader, type MonthPart, readMonthFile, valuesOf, type Written } from './month-file.ts'

/** A merchant's entries of one day that are in the file. */
export type FileHead = TimelineHead & { day: string }

export type CheckedFile = { header: MonthHeader; written: Written; heads: FileHead[] }

/** Throws an error of one line at the first order that is not as the gateway wrote it. `progress`: orders so far. */
export async function checkMonthFile(
  file: string,
  unlock: Unlock,
  progress: (orders: number) => void = () => {},
): Promise<CheckedFile> {
  const digests = new Map<string, DayDigest>()
  let orders = 0
  const { header, written } = await readMonthFile(file, unlock, async (part) => {
    for (const { day, entry } of checkedEntries(part)) {
      const key = `${day} ${part.mchNo}`
      const digest = digests.get(key) ?? new DayDigest()
      digest.add(entry)
      digests.set(key, digest)
    }
    orders += part.numbers.length
    progress(orders)
  })
  const heads = [...digests].map(([key, digest]) => {
    const [day = '', mchNo = ''] = key.split(' ')
    return { day, ...digest.head(mchNo) }
  })
  return { header, written, heads }
}

type Numbered = TimelineEntry & { transactionNo: string }

/** The entries of the part's timelines in the order of their keys, each with its day. */
export function checkedEntries({ mchNo, rows }: MonthPart): { day: string; entry: Numbered }[] {
  const timelines = new Map<string, Numbered[]>()
  for (const entry of entriesOf(rows)) {
    const entries = timelines.get(entry.transactionNo)
    if (entries === undefined) timelines.set(entry.transactionNo, [entry])
    else entries.push(entry)
  }
  return ordersIn(rows).flatMap(({ transactionNo, headSeq, headHash }) => {
    const entries = timelines.get(transactionNo) ?? []
    entries.sort((one, other) => one.seq - other.seq)
    const broken = brokenAt(entries, mchNo, transactionNo, { headSeq, headHash })
    if (broken !== null)
      throw new Error(
        `${mchNo} ${transactionNo} 时间线第${broken}条被改动 (entry ${broken} of this timeline is not as it was written)`,
      )
    return entries.map((entry) => ({ day: dayOf(entry.at.getTime()), entry }))
  })
}

const tableOf = (rows: OrderRows[], table: string): OrderRows =>
  rows.find((one) => one.table === table) ?? { table, columns: [], lines: [] }

const bytea = (text: string | null | undefined): Buffer => Buffer.from((text ?? '').replace(/^\\x/, ''), 'hex')

function ordersIn(rows: OrderRows[]) {
  const orders = tableOf(rows, 'orders')
  return orders.lines.map((line) => {
    const { transaction_no, head_seq, head_hash } = valuesOf(orders, line)
    return { transactionNo: transaction_no ?? '', headSeq: Number(head_seq), headHash: bytea(head_hash) }
  })
}

function entriesOf(rows: OrderRows[]): Numbered[] {
  const timeline = tableOf(rows, 'timeline')
  return timeline.lines.map((line) => {
    const { transaction_no, seq, at, entry, hash, mac } = valuesOf(timeline, line)
    return {
      transactionNo: transaction_no ?? '',
      seq: Number(seq),
      at: timeOf(at ?? ''),
      entry: entry ?? '',
      hash: bytea(hash),
      mac: mac == null ? null : bytea(mac),
    }
  })
}

/** As PostgreSQL writes a time in UTC: 2026-01-31 00:00:00.123+00. */
const timeOf = (text: string): Date => new Date(text.replace(' ', 'T').replace(/\+00$/, 'Z'))
