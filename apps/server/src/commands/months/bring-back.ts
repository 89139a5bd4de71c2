/** Brings the orders of a month's file back into the database, part by part. May be begun again after it was interrupted. */
import {
  archivedNumbers,
  forgetArchived,
  inOneTransaction,
  listArchives,
  moveArchive,
  type OrderRows,
  putOrderRows,
  readOrderRows,
} from '@acopay/store'
import { putBackPayments } from '../../actions/payment/archived-payment.ts'
import type { Unlock } from '../archive/encryption.ts'
import { DAMAGED } from '../archive/format.ts'
import { checkMonthFile } from './check-file.ts'
import { markDays } from './days.ts'
import { provenManifest } from './manifest.ts'
import { type MonthPart, orderOfLine, readMonthFile } from './month-file.ts'
import { type MonthTools, progressOf } from './tools.ts'

/** Returns how many orders it brought back. */
export async function bringBack(tools: MonthTools, file: string, unlock: Unlock): Promise<number> {
  const { pool, say, step, now } = tools
  const { manifest } = await provenManifest(file)
  const { archiveNo } = manifest.archive
  const archive = (await listArchives(pool)).find((one) => one.archiveNo === archiveNo)
  if (archive === undefined || archive.sha256 !== manifest.sha256)
    throw new Error(`这个数据库没有写过归档 ${archiveNo} (this database has no such archive)`)
  const checked = await checkMonthFile(file, unlock, progressOf(say, '核对 checking', manifest.orders))
  if (archive.state === 'RESTORED') return 0
  await moveArchive(pool, archiveNo, { from: ['REMOVING', 'REMOVED', 'RESTORING'], to: 'RESTORING', now })
  step('restoring')
  const progress = progressOf(say, '恢复 bringing back', manifest.orders)
  let [seen, back] = [0, 0]
  await readMonthFile(file, unlock, async (part) => {
    back += await bringBackPart(tools, archiveNo, part)
    step(`part ${part.part}`)
    seen += part.numbers.length
    progress(seen)
  })
  await markDays(tools, checked.heads, null)
  step('days')
  await moveArchive(pool, archiveNo, { from: ['RESTORING'], to: 'RESTORED', now })
  return back
}

/** Only those that this archive has taken out. The rows are read again: they are those of the file, byte for byte. */
const bringBackPart = ({ pool, stamps, now }: MonthTools, archiveNo: string, part: MonthPart): Promise<number> =>
  inOneTransaction(pool, 'write', async (client) => {
    const { mchNo, numbers: all } = part
    const numbers = await archivedNumbers(client, { mchNo, archiveNo }, all)
    if (numbers.length === 0) return 0
    const wanted = new Set(numbers)
    const rows = part.rows.map((one): OrderRows => {
      const lines = one.lines.filter((line) => wanted.has(orderOfLine(line).number))
      return { ...one, lines }
    })
    await putOrderRows(client, rows)
    const columns = new Map(rows.map((one) => [one.table, one.columns]))
    const found = await readOrderRows(client, { mchNo, numbers }, columns)
    for (const { table, lines } of rows) {
      const now = found.find((one) => one.table === table)?.lines ?? []
      if (JSON.stringify(now) !== JSON.stringify(lines)) throw new Error(`${DAMAGED}: ${table}`)
    }
    await putBackPayments(client, stamps, { mchNo, numbers, now })
    await forgetArchived(client, { mchNo, archiveNo, part: part.part }, numbers)
    return numbers.length
  })
