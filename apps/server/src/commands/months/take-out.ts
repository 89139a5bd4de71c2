/** Takes the orders of a month's file out of the database, part by part. Each part is one transaction, which compares before it removes. */
import {
  archivedNumbers,
  findArchivedOrder,
  inOneTransaction,
  keepBillLines,
  keepOfOrders,
  lockOrderRows,
  moveArchive,
  type OrderRows,
  orderColumns,
  type Pool,
  readOrderRows,
  removeOrderRows,
  restOfOrders,
} from '@acopay/store'
import type { Unlock } from '../archive/encryption.ts'
import { checkedEntries, type FileHead } from './check-file.ts'
import { headKey, markDays } from './days.ts'
import { type MonthPart, orderOfLine, readMonthFile } from './month-file.ts'
import { type MonthTools, progressOf } from './tools.ts'

export type TakeOut = { archiveNo: string; file: string; unlock: Unlock; orders: number; changedBefore: Date }

/** May be begun again after it was interrupted. Returns how many orders of the file stayed in the database, because they changed since. */
export async function takeOut(
  tools: MonthTools,
  { archiveNo, file, unlock, orders, changedBefore }: TakeOut,
): Promise<number> {
  const { pool, step, say, now } = tools
  const columns = await inOneTransaction(pool, 'read', orderColumns)
  const progress = progressOf(say, '移出 taking out', orders)
  let seen = 0
  await readMonthFile(file, unlock, async (part) => {
    sameColumns(part.rows, columns)
    await takeOutPart(pool, archiveNo, part, changedBefore)
    step(`part ${part.part}`)
    seen += part.numbers.length
    progress(seen)
  })
  const { heads, takenOut, stayed } = await whatBecame(tools, { archiveNo, file, unlock })
  await markDays(tools, heads, takenOut)
  step('days')
  await moveArchive(pool, archiveNo, { from: ['REMOVING'], to: 'REMOVED', now })
  step('removed')
  return stayed
}

/** A column that the file does not have would be lost. */
function sameColumns(rows: OrderRows[], columns: Map<string, string[]>): void {
  for (const { table, columns: inFile } of rows) {
    if (JSON.stringify([...inFile].sort()) === JSON.stringify([...(columns.get(table) ?? [])].sort())) continue
    throw new Error(
      `${table} 的列与文件不同，文件由另一版本写成：请先 archive restore 它 (this table has other columns than the file, which another version wrote: archive restore it first)`,
    )
  }
}

const TRIES = 5
/** Something was changed between the look and the removal: looked at again. */
const CHANGED = ['40001', '40P01', '23503']

async function takeOutPart(pool: Pool, archiveNo: string, part: MonthPart, changedBefore: Date): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await takeOutOnce(pool, archiveNo, part, changedBefore)
    } catch (error) {
      const { code = '' } = error as { code?: string }
      if (!CHANGED.includes(code) || tries === TRIES) throw error
    }
  }
}

/** Removes those orders of which every row is in the file as it is, and keeps what stays of them. */
const takeOutOnce = (pool: Pool, archiveNo: string, part: MonthPart, changedBefore: Date): Promise<void> =>
  inOneTransaction(pool, 'write as read', async (client) => {
    const { mchNo, rows } = part
    const locked = await lockOrderRows(client, part)
    if (locked.length === 0) return
    const atRest = await restingOf(client, { mchNo, numbers: locked }, changedBefore)
    const columns = new Map(rows.map((one) => [one.table, one.columns]))
    for (const [table, names] of await orderColumns(client)) if (!columns.has(table)) columns.set(table, names)
    const found = await readOrderRows(client, { mchNo, numbers: atRest }, columns)
    const [inFile, inTables] = [linesByOrder(rows), linesByOrder(found)]
    const same = atRest.filter((number) => inFile.get(number) === inTables.get(number))
    if (same.length === 0) return
    await keepOfOrders(client, { mchNo, archiveNo, part: part.part }, same)
    await keepBillLines(client, { mchNo, archiveNo, part: part.part }, same)
    await removeOrderRows(client, { mchNo, numbers: same })
  })

type Client = Parameters<Parameters<typeof inOneTransaction>[2]>[0]

async function restingOf(
  client: Client,
  { mchNo, numbers }: { mchNo: string; numbers: string[] },
  changedBefore: Date,
): Promise<string[]> {
  const [from = '', until = ''] = [numbers[0], `${numbers.at(-1)}:`]
  const range = await restOfOrders(client, { mchNo, after: '' }, { from, until, changedBefore }, RANGE_MAX)
  const resting = new Set(range.flatMap(({ transactionNo, unrest }) => (unrest === null ? [transactionNo] : [])))
  return numbers.filter((number) => resting.has(number))
}

/** More than lie between two orders of a part: those that stay are few. */
const RANGE_MAX = 1_000_000

/** All lines of each order, as one text. */
function linesByOrder(rows: OrderRows[]): Map<string, string> {
  const orders = new Map<string, string>()
  for (const { table, lines } of rows) {
    for (const line of lines) {
      const { number } = orderOfLine(line)
      orders.set(number, `${orders.get(number) ?? ''}${table}\t${line}\n`)
    }
  }
  return orders
}

type Became = { heads: FileHead[]; takenOut: Map<string, number>; stayed: number }

/** Reads the file once more: each of its orders is either in the database or taken out by this archive, and no order is lost. */
async function whatBecame(
  { pool, say }: MonthTools,
  { archiveNo, file, unlock }: Pick<TakeOut, 'archiveNo' | 'file' | 'unlock'>,
): Promise<Became> {
  const takenOut = new Map<string, number>()
  const heads = new Map<string, FileHead>()
  let stayed = 0
  await readMonthFile(file, unlock, async (part) => {
    const { mchNo, numbers } = part
    const gone = new Set(await archivedNumbers(pool, { mchNo, archiveNo }, numbers))
    for (const number of numbers) {
      if (gone.has(number)) continue
      stayed += 1
      if (stayed <= NAMED_MAX) say(`  ${mchNo} ${number} 之后有变化，留在数据库 (changed since: it stays)`)
      await mustBeThere(pool, mchNo, number)
    }
    for (const { day, entry } of checkedEntries(part)) {
      const key = headKey(day, mchNo)
      heads.set(key, { day, mch_no: mchNo, entries: 0, digest: '' })
      if (gone.has(entry.transactionNo)) takenOut.set(key, (takenOut.get(key) ?? 0) + 1)
    }
  })
  return { heads: [...heads.values()], takenOut, stayed }
}

const NAMED_MAX = 100

/** In the tables, or in another archive that has taken it out before. */
async function mustBeThere(pool: Pool, mchNo: string, number: string): Promise<void> {
  const { rows } = await pool.query('select 1 from orders where mch_no = $1 and transaction_no = $2', [mchNo, number])
  if (rows.length > 0 || (await findArchivedOrder(pool, mchNo, { transactionNo: number })) !== null) return
  throw new Error(`${mchNo} ${number} 不见了 (this order is neither in the database nor archived)`)
}
