/** Writes the orders of a month that are at rest into a file, reads it again, and only then takes them out of the database. */
import { randomBytes } from 'node:crypto'
import path from 'node:path'
import { CHINA_MS } from '@acopay/core'
import {
  archiveWritten,
  beginArchive,
  countMonth,
  inOneTransaction,
  type Month,
  merchantsWithOrders,
  orderColumns,
  readOrderRows,
  restOfOrders,
  type Unrest,
} from '@acopay/store'
import { fingerprintOf } from '../../security/vault.ts'
import { VERSION } from '../../version.ts'
import { writeArchiveFile } from '../archive/archive-file.ts'
import type { Lock, Unlock } from '../archive/encryption.ts'
import { migrationOf } from '../archive/take.ts'
import { checkMonthFile } from './check-file.ts'
import { checkDays, headsOfDays } from './days.ts'
import { type Manifest, sha256Of, tablesOf, writeManifest } from './manifest.ts'
import { type MonthPart, monthHeader, monthText, nothingYet, type Written } from './month-file.ts'
import { takeOut } from './take-out.ts'
import { type MonthTools, progressOf } from './tools.ts'

const HOUR_MS = 3_600_000
/** An order that changed so lately may change again, and the heads of its last day may not be made yet. */
export const REST_MS = 3 * 24 * HOUR_MS
const NAMED_MAX = 100

/** The month's first moment in UTC+8, and the next one's. */
export const monthBounds = (month: string): { begin: Date; end: Date } => {
  const [year = 0, number = 0] = month.split('-').map(Number)
  const at = (months: number): Date => new Date(Date.UTC(year, number - 1 + months, 1) - CHINA_MS)
  return { begin: at(0), end: at(1) }
}

const monthOf = (month: string, now: Date): Month => {
  const { begin, end } = monthBounds(month)
  const number = (at: Date): string =>
    `AP${new Date(at.getTime() + CHINA_MS).toISOString().slice(0, 7).replace('-', '')}`
  return { from: number(begin), until: number(end), changedBefore: new Date(now.getTime() - REST_MS) }
}

type Asked = { month: string; folder: string; lock: Lock; unlock: Unlock }

/** Returns how many orders it took out. */
export async function archiveMonth(tools: MonthTools, { month, folder, lock, unlock }: Asked): Promise<number> {
  const { pool, now, say, step } = tools
  const looked = await lookAt(tools, month)
  if (looked === null) return 0
  const archiveNo = `${month}-${randomBytes(4).toString('hex')}`
  const file = path.resolve(
    folder,
    `acopay-${archiveNo}.sql.gz${lock.recipients.length > 0 || lock.passphraseFile !== null ? '.age' : ''}`,
  )
  await beginArchive(pool, { archiveNo, file, now })
  step('begun')
  const header = monthHeader({
    ...{ archiveNo, month, version: VERSION, writtenAt: now.toISOString() },
    migration: await migrationOf(pool),
    masterKeys: tools.master.keys.map(fingerprintOf),
  })
  const taken = nothingYet()
  await writeArchiveFile(file, monthText(header, looked.parts(), taken), lock)
  step('written')
  const progress = progressOf(say, '读回核对 reading back', taken.orders)
  const checked = await checkMonthFile(file, unlock, progress)
  if (JSON.stringify(summed(checked.written)) !== JSON.stringify(summed(taken)))
    throw new Error(`读回的内容与写入的不同 (what was read back is not what was written): ${file}`)
  await checkDays(tools, checked.heads)
  const { sha256, size } = await sha256Of(file)
  const manifest: Manifest = {
    ...{ archive: header, file: path.basename(file), size_bytes: size, sha256 },
    ...{ orders: taken.orders, rows: taken.rows, tables: tablesOf(taken), stayed: Object.fromEntries(looked.stayed) },
    heads: checked.heads,
    day_heads: await headsOfDays(
      pool,
      checked.heads.map(({ day }) => day),
    ),
  }
  await writeManifest(file, manifest, tools.key)
  step('manifest')
  const lastDay =
    checked.heads
      .map(({ day }) => day)
      .sort()
      .at(-1) ?? `${month}-01`
  await archiveWritten(pool, { archiveNo, sha256, orders: taken.orders, lastDay }, now)
  step('removing')
  saySizes(say, taken)
  say(`✓ ${file}: ${size} 字节 bytes, sha256 ${sha256}`)
  const stayed = await takeOut(tools, {
    ...{ archiveNo, file, unlock, orders: taken.orders },
    changedBefore: looked.changedBefore,
  })
  sayStayed(say, month, looked)
  say(`✓ ${archiveNo}: ${taken.orders - stayed} 单已归档并移出 (orders are in the file and out of the database)`)
  return taken.orders - stayed
}

const summed = ({ orders, rows, totals }: Written) => ({ orders, rows, totals: [...totals].sort() })

export function saySizes(say: MonthTools['say'], { orders, rows, totals }: Written): void {
  for (const [table, sums] of totals)
    say(`  ${table.padEnd(17)} ${String(sums.rows).padStart(10)} 行 rows ${String(sums.bytes).padStart(14)} 字节 bytes`)
  const bytes = [...totals.values()].reduce((sum, one) => sum + one.bytes, 0)
  say(`  ${orders} 单 orders, ${rows} 行 rows, ${bytes} 字节 bytes`)
}

export type Looked = Pick<Month, 'changedBefore'> & {
  parts: () => AsyncGenerator<MonthPart>
  /** Filled while the parts are read. */
  stayed: Map<Unrest, number>
  named: string[]
}

/** Null where the month has no order at rest. Throws where something that needs its rows is still to be done. */
export async function lookAt(tools: MonthTools, month: string): Promise<Looked | null> {
  const { pool, now, say } = tools
  const which = monthOf(month, now)
  const hours = { begin: monthBounds(month).begin, end: which.changedBefore }
  const merchants = await merchantsWithOrders(pool, which)
  if (merchants.length === 0) return null
  const first = await firstOf(tools, merchants, which)
  const begin = new Date(Math.max(hours.begin.getTime(), first))
  const { orders, uncounted } = await countMonth(pool, which, { ...hours, begin })
  const looked: Looked = { changedBefore: which.changedBefore, stayed: new Map(), named: [], parts: () => parts() }
  const columns = await inOneTransaction(pool, 'read', orderColumns)
  async function* parts(): AsyncGenerator<MonthPart> {
    const progress = progressOf(say, `${month} 写入 writing`, orders)
    let [part, seen] = [0, 0]
    for (const mchNo of merchants) {
      for await (const numbers of restingPages(tools, mchNo, which, looked)) {
        const rows = await inOneTransaction(pool, 'read', (client) =>
          readOrderRows(client, { mchNo, numbers }, columns),
        )
        part += 1
        seen += numbers.length
        progress(seen)
        yield { part, mchNo, numbers, rows }
      }
    }
  }
  const peek = parts()
  const isEmpty = (await peek.next()).done === true
  await peek.return(undefined)
  if (isEmpty) {
    sayStayed(say, month, looked)
    return null
  }
  looked.stayed.clear()
  looked.named.length = 0
  if (uncounted > 0n)
    throw new Error(
      `${month} 之后还有 ${uncounted} 个小时的统计没有算，请让网关运行一会儿 (figures of so many hours are not counted yet: let a gateway run for a while)`,
    )
  return looked
}

/** The hour of the month's first order. */
async function firstOf(
  { pool }: MonthTools,
  merchants: string[],
  { from, until, changedBefore }: Month,
): Promise<number> {
  let first = until
  for (const mchNo of merchants) {
    const [one] = await restOfOrders(pool, { mchNo, after: '' }, { from, until, changedBefore }, 1)
    if (one !== undefined && one.transactionNo < first) first = one.transactionNo
  }
  const [, year, month, day, hour] = /^AP(\d{4})(\d\d)(\d\d)(\d\d)/.exec(first) ?? []
  return year === undefined ? 0 : Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`) - CHINA_MS
}

/** The orders at rest of one merchant, page by page; the others are counted and named. */
async function* restingPages(
  { pool, partOrders }: MonthTools,
  mchNo: string,
  which: Month,
  looked: Looked,
): AsyncGenerator<string[]> {
  for (let after = ''; ; ) {
    const page = await restOfOrders(pool, { mchNo, after }, which, partOrders)
    for (const { transactionNo, unrest } of page) {
      if (unrest === null) continue
      looked.stayed.set(unrest, (looked.stayed.get(unrest) ?? 0) + 1)
      if (looked.named.length < NAMED_MAX) looked.named.push(`${mchNo} ${transactionNo}: ${WHY[unrest]}`)
    }
    const numbers = page.flatMap(({ transactionNo, unrest }) => (unrest === null ? [transactionNo] : []))
    if (numbers.length > 0) yield numbers
    after = page.at(-1)?.transactionNo ?? after
    if (page.length < partOrders) return
  }
}

const WHY: Record<Unrest, string> = {
  state: '未到终态 (not in a final state)',
  recent: '近三天内有变化 (changed within three days)',
  attempt: '有未结束的支付尝试 (an attempt is open)',
  reversal: '自动退回在途 (a reversal is under way)',
  refund: '退款在途或有疑问 (a refund is under way or in doubt)',
  refund_request: '退款等待复核 (a refund waits for a second person)',
  notification: '通知未送达 (a notification is not delivered)',
  job: '还有任务 (a job is left)',
  bill: '该商户有账单或对账未完成 (a bill or a reconciliation of the merchant is not done)',
}

export function sayStayed(say: MonthTools['say'], month: string, { stayed, named }: Looked): void {
  const sum = [...stayed.values()].reduce((one, other) => one + other, 0)
  if (sum === 0) return
  say(`${month}: ${sum} 单留在数据库 (orders stay in the database):`)
  for (const line of named) say(`  ${line}`)
  if (sum > named.length) for (const [unrest, count] of stayed) say(`  … ${count} × ${WHY[unrest]}`)
}
