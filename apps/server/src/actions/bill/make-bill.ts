/**
 * Makes a merchant's bill of one day. It reads rows by pages and writes the file in pieces, so that neither is in memory as a
 * whole. Only `publishBill` makes the file visible: a process that dies or loses its lease leaves pieces that are not used.
 */
import { createHash } from 'node:crypto'
import { billRange, type JobOutcome } from '@acopay/core'
import {
  BILL_KINDS,
  type BillKey,
  type BillRow,
  billPages,
  extendJob,
  findBill,
  forgetBillFiles,
  type Job,
  publishBill,
  removeBillFile,
  removeLeftoverBillParts,
  writeBillPart,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { add, headerLine, rowLine, summaryLines, type Totals } from './bill-csv.ts'

const PAGE = 2000
const PART_BYTES = 256 * 1024
const PROGRESS_LINES = 100_000

/** Done when the bill is made, by this process or another. */
export async function makeBill(world: World, job: Job): Promise<JobOutcome> {
  const key: BillKey = { mchNo: job.mchNo, day: job.subject }
  if ((await findBill(world.pool, key)) !== null) return 'done'
  await removeLeftoverBillParts(world.pool, job, key)
  const file = billFile(world, key)
  for await (const page of pagesOf(world, job, key)) {
    if (page === 'lost') return 'retry'
    for (const row of page) file.add(row)
    await file.flush()
  }
  const bill = await file.end()
  const isPublished = await publishBill(world.pool, job, bill, world.now())
  // Remove only this process's file: other pieces may belong to the process that holds the job now.
  if (!isPublished && bill.fileNo !== null) await removeBillFile(world.pool, key, bill.fileNo)
  // Merchants can no longer fetch bills from before `first`.
  const { first } = billRange(world.sureNow().getTime())
  if (isPublished) await forgetBillFiles(world.pool, { mchNo: job.mchNo, day: first })
  return isPublished ? 'done' : 'retry'
}

/** Every row of the day; `lost` when another process has leased the job. */
async function* pagesOf(world: World, job: Job, key: BillKey): AsyncGenerator<BillRow[] | 'lost'> {
  const { leaseMs } = world.limits
  let extendAtMs = world.now().getTime() + leaseMs / 3
  for (const kind of BILL_KINDS) {
    for await (const page of billPages(world.pool, key, { kind, limit: PAGE })) {
      yield page
      const nowMs = world.now().getTime()
      if (nowMs < extendAtMs) continue
      extendAtMs = nowMs + leaseMs / 3
      if (!(await extendJob(world.pool, job, new Date(nowMs + leaseMs)))) yield 'lost'
    }
  }
}

/** Writes the file into the database. A day without rows has no file. */
function billFile(world: World, key: BillKey) {
  const fileNo = world.newNonce()
  const hash = createHash('sha256')
  const totals: Totals = new Map()
  const startedMs = world.steadyMs()
  let lines = 0
  let sizeBytes = 0
  let seq = 0
  let text = headerLine()

  async function write(): Promise<void> {
    const bytes = Buffer.from(text, 'utf8')
    text = ''
    hash.update(bytes)
    sizeBytes += bytes.length
    seq += 1
    await writeBillPart(world.pool, key, { fileNo, seq }, bytes)
  }
  const logProgress = (message: string): void =>
    world.log.info({ ...key, lines, sizeBytes, ms: world.steadyMs() - startedMs }, message)

  return {
    add(row: BillRow): void {
      add(totals, row)
      text += rowLine(row)
      lines += 1
      if (lines % PROGRESS_LINES === 0) logProgress('bill under way')
    },
    /** Writes a piece once there is enough text for one. */
    flush: async () => (text.length < PART_BYTES ? undefined : write()),
    async end() {
      if (lines === 0) return { lines: 0n, fileNo: null, sizeBytes: 0n, sha256: null }
      text += summaryLines(totals)
      await write()
      logProgress('bill made')
      return { lines: BigInt(lines), fileNo, sizeBytes: BigInt(sizeBytes), sha256: hash.digest('hex') }
    },
  }
}
