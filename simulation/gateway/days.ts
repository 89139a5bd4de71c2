/**
 * The mornings after a run: the gateways read the upstreams' bills of each day and make the merchant's. Afterwards the books, the
 * differences and the merchant's bill must agree with what the upstreams did.
 */
import type pg from 'pg'
import { APP } from './gateway.ts'
import type { Payment, SentBack, Trade } from './trades.ts'

export const DAY_MS = 24 * 3_600_000

/** The end of the day on which the run begins, in China. From 10:00 on the upstreams have the bill of the day before. */
const FIRST_MIDNIGHT_MS = Date.parse('2026-03-02T00:00:00+08:00')
const MORNING_MS = 10 * 3_600_000

/** The mornings by which everything until `lastMs` is in a bill. */
export function morningsUntil(lastMs: number): number[] {
  const days = Math.floor((lastMs - FIRST_MIDNIGHT_MS) / DAY_MS) + 1
  return Array.from({ length: 1 + Math.max(0, days) }, (_, index) => FIRST_MIDNIGHT_MS + MORNING_MS + index * DAY_MS)
}

type Difference = { kind: string; paymentNo: string; refundNo: string; settled: boolean }

/** What is broken after the bills were read; null if nothing is. */
export async function brokenDays(
  connection: pg.Client,
  { trades, forged }: { trades: Trade[]; forged: string[] },
  mornings: number,
): Promise<string | null> {
  const { rows: days } = await connection.query<{ reconciled: bigint; billed: bigint }>({
    name: 'days',
    text: 'select (select count(*) from reconciliation) as reconciled, (select count(*) from bill) as billed',
  })
  const { reconciled, billed } = days[0] ?? {}
  if (Number(reconciled) !== 2 * mornings || Number(billed) !== mornings)
    return `B1: of ${mornings} days ${reconciled} upstream bills were read, and ${billed} bills made`
  const { rows: found } = await connection.query<Difference>({
    name: 'differences',
    text: `select kind, payment_no as "paymentNo", refund_no as "refundNo", settled from reconciliation_difference`,
  })
  const { rows: kept } = await connection.query<{ no: string; state: string }>({
    name: 'kept',
    text: `select payment_no as no, o.state from payment p join orders o using (mch_no, transaction_no) where fate = 'keep'`,
  })
  const payments = trades.flatMap((trade) => trade.payments)
  const keptNos = new Set(kept.map(({ no }) => no))
  const unnoticed = kept.find(({ no, state }) => state !== 'REFUND' && payments.some(isReturned(no)))
  if (unnoticed !== undefined)
    return `B4: all of ${unnoticed.no} went back from outside, and its order is ${unnoticed.state}`
  return brokenDifferences(found, { payments, forged }, keptNos) ?? (await brokenBill(connection, payments, mornings))
}

const isReturned =
  (no: string) =>
  ({ paymentNo, amountFen, refunds }: Payment): boolean =>
    paymentNo === no && refunds.some(({ by, fen }) => by === 'outside' && fen === amountFen)

/** Every difference has its reason upstream. What was sent back from outside is one, and so is a line that nothing confirms. */
function brokenDifferences(
  found: Difference[],
  { payments, forged }: { payments: Payment[]; forged: string[] },
  kept: Set<string>,
): string | null {
  const textOf = ({ kind, paymentNo, refundNo, settled }: Difference): string =>
    `${kind} ${paymentNo} ${refundNo} ${settled ? 'settled' : 'open'}`
  const expected = new Set(
    payments.flatMap((payment) => {
      const { paymentNo, amountFen, refunds, isUnheard } = payment
      // What sent no money is in WeChat Pay's bill all the same, and has to be looked at.
      const notDone = refunds.filter(({ closes }) => closes).map(({ no }) => `REFUND_NOT_DONE ${paymentNo} ${no} open`)
      const unheard = isUnheard === true ? [`PAYMENT_UNKNOWN ${paymentNo}  settled`] : []
      const outside = kept.has(paymentNo) ? refunds.filter(({ by, fen }) => by === 'outside' && fen > 0n) : []
      const returned = outside.map(({ no, fen }) =>
        fen === amountFen ? `PAYMENT_RETURNED ${paymentNo}  open` : `REFUND_UNKNOWN ${paymentNo} ${no} open`,
      )
      return [...unheard, ...returned, ...notDone]
    }),
  )
  for (const paymentNo of forged) expected.add(`PAYMENT_UNKNOWN ${paymentNo}  open`)
  const wrong = found.map(textOf).find((text) => !expected.delete(text))
  if (wrong !== undefined) return `B2: a difference without a reason: ${wrong}`
  const [missing] = expected
  return missing === undefined ? null : `B2: a difference is missing: ${missing}`
}

/** Every payment that was heard of, and every refund that was made, is in one bill, with its amount. */
async function brokenBill(connection: pg.Client, payments: Payment[], mornings: number): Promise<string | null> {
  const { rows } = await connection.query<{ bytes: Buffer }>({
    name: 'billParts',
    text: `select p.bytes from bill b join bill_part p on p.mch_no = b.mch_no and p.bill_day = b.bill_day
             and p.file_no = b.file_no order by p.bill_day, p.seq`,
  })
  const lines = rows
    .map(({ bytes }) => bytes.toString('utf8'))
    .join('')
    .split('\r\n')
    .map((line) => line.split(','))
    .filter(([kind]) => kind === 'PAYMENT' || kind === 'REFUND' || kind === 'REVERSAL')
    .map((cells) => [0, 9, 5, 11, 12, 4].map((column) => cells[column]).join(' '))
  const own = (no: string): string => no.replace(/-\d+$/, '')
  const yuan = (fen: bigint): string => `${fen / 100n}.${String(fen % 100n).padStart(2, '0')}`
  const made = ({ by, fen }: SentBack): boolean => fen > 0n && (by === 'merchant' || by === 'gateway')
  const expected = payments
    .filter(({ isUnheard }) => isUnheard !== true || mornings > 1)
    .flatMap(({ paymentNo, amountFen, refunds }) => [
      `PAYMENT ${paymentNo}  ${yuan(amountFen)} CNY ${APP}`,
      ...refunds
        .filter(made)
        .map(
          ({ by, no, fen }) =>
            `${by === 'merchant' ? 'REFUND' : 'REVERSAL'} ${paymentNo} ${own(no)} ${yuan(fen)} CNY ${APP}`,
        ),
    ])
  const missing = expected.find((line) => lines.filter((one) => one === line).length !== 1)
  return missing === undefined ? null : `B3: not once in the merchant's bill: ${missing}`
}

/** Whether anything was paid: without payments there is nothing to compare. */
export const isAnyPaid = (trades: Trade[]): boolean => trades.some(({ payments }) => payments.length > 0)
