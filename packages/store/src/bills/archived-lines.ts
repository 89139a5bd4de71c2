/**
 * The lines of a day's bill, also of payments, refunds and reversals whose rows were archived: what stays of those is packed by day, some
 * 500 orders in a piece, and is read together with the tables, in the order of the bill. So are payments that arrived for archived orders.
 */
import { gunzipSync, gzipSync } from 'node:zlib'
import type { PartOf } from '../archive/archived.ts'
import { arrivedBillLines } from '../archive/arrived-bills.ts'
import { type Db, run } from '../db.ts'
import { BILL_KINDS, BILL_SELECTS, type BillKey, type BillRow, billRows } from './bills.ts'

const TABLES = { PAYMENT: 'payment p', REFUND: 'refund r', REVERSAL: 'reversal r' } as const

/** Packs the lines of these orders, in the transaction that removes their rows. Call it before they are removed. */
export async function keepBillLines(db: Db, { mchNo, archiveNo, part }: PartOf, numbers: string[]): Promise<void> {
  for (const kind of BILL_KINDS) {
    const [, alias] = TABLES[kind].split(' ')
    const days = await run<{ day: string }>(
      db,
      `billDaysOf${kind}`,
      `select distinct bill_day::text as day from ${TABLES[kind]}
        where mch_no = $1 and transaction_no = any ($2) and bill_day is not null`,
      [mchNo, numbers],
    )
    for (const { day } of days) {
      const rows = await run<BillRow>(
        db,
        `billLinesOf${kind}`,
        `${BILL_SELECTS[kind]} and ${alias}.transaction_no = any ($2) and ${alias}.bill_day = $3`,
        [mchNo, numbers, day],
      )
      const lines = rows.sort(inOrder)
      await run(
        db,
        'insertArchivedLines',
        `insert into archived_lines (mch_no, bill_day, kind, archive_no, part, first_at, lines)
         values ($1, $2, $3, $4, $5, $6, $7)`,
        [mchNo, day, kind, archiveNo, part, lines[0]?.at, packed(lines)],
      )
    }
  }
}

const packed = (lines: BillRow[]): Buffer =>
  gzipSync(JSON.stringify(lines.map((line) => ({ ...line, amountFen: String(line.amountFen) }))))

type PackedLine = Omit<BillRow, 'at' | 'amountFen'> & { at: string; amountFen: string }

const unpacked = (bytes: Buffer): BillRow[] =>
  (JSON.parse(gunzipSync(bytes).toString('utf8')) as PackedLine[]).map((line) => ({
    ...line,
    at: new Date(line.at),
    amountFen: BigInt(line.amountFen),
  }))

const keyOf = ({ kind, attemptNo, paymentNo, refundNo }: BillRow): string =>
  kind === 'PAYMENT' ? `${attemptNo} ${paymentNo}` : (refundNo ?? '')

function inOrder(one: BillRow, other: BillRow): number {
  const [a, b] = [keyOf(one), keyOf(other)]
  return one.at.getTime() - other.at.getTime() || (a < b ? -1 : Number(a > b))
}

/** Every line of a day's bill of one kind, in its order, `limit` or fewer at a time. A piece is unpacked when its first line is due. */
export async function* billPages(
  db: Db,
  key: BillKey,
  { kind, limit }: { kind: BillRow['kind']; limit: number },
): AsyncGenerator<BillRow[]> {
  const pieces = await piecesOf(db, key, kind)
  let waiting: BillRow[] = await arrivedBillLines(db, key, kind)
  for (let after: BillRow | null = null; ; ) {
    const page: BillRow[] = await billRows(db, key, { kind, after, limit })
    const isLast = page.length < limit
    const until = isLast ? null : (page.at(-1) as BillRow)
    for (let next = pieces[0]; next !== undefined && (until === null || next.firstAt <= until.at); next = pieces[0]) {
      waiting.push(...(await linesOf(db, key, next)))
      pieces.shift()
    }
    const lines = [...waiting, ...page].sort(inOrder)
    // What lies behind the tables' last line may lie behind lines of their next page too.
    const due = until === null ? lines.length : lines.indexOf(until) + 1
    for (let at = 0; at < due; at += limit) yield lines.slice(at, Math.min(due, at + limit))
    waiting = lines.slice(due)
    if (isLast) return
    after = until
  }
}

type Piece = { kind: BillRow['kind']; archiveNo: string; part: number; firstAt: Date }

const piecesOf = (db: Db, { mchNo, day }: BillKey, kind: BillRow['kind']): Promise<Piece[]> =>
  run<Piece>(
    db,
    'archivedPieces',
    `select kind, archive_no as "archiveNo", part, first_at as "firstAt" from archived_lines
      where mch_no = $1 and bill_day = $2 and kind = $3 order by first_at, archive_no, part`,
    [mchNo, day, kind],
  )

async function linesOf(db: Db, { mchNo, day }: BillKey, { kind, archiveNo, part }: Piece): Promise<BillRow[]> {
  const rows = await run<{ lines: Buffer }>(
    db,
    'archivedLines',
    `select lines from archived_lines where mch_no = $1 and bill_day = $2 and kind = $3 and archive_no = $4 and part = $5`,
    [mchNo, day, kind, archiveNo, part],
  )
  return rows.flatMap(({ lines }) => unpacked(lines))
}
