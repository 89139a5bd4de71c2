/** What the books of all merchants say when everything has come to rest. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '@acopay/store'
import { brokenAt, readTimeline } from '@acopay/store'
import { close } from '../merchant.ts'
import type { Told } from './calls.ts'

const REST_MS = 120_000
const LOOK_MS = 500
const AT_ONCE = 8

/** Every order is asked to close until it is told what became of it; then the books are looked at. Returns what is wrong, a line for each order. */
export async function wrongAfterwards(pool: Pool, orders: Told[]): Promise<string[]> {
  await inLanes(orders, (order) => untilTold(order))
  await untilRest(pool)
  const wrong = await againstRules(pool)
  const books = await readBooks(pool)
  for (const { transactionNo, isClosed } of orders) {
    const book = books.get(transactionNo)
    if (book === undefined) wrong.push(`${transactionNo}: placed, and not in the books`)
    else if (isClosed && book.state !== 'CLOSED')
      wrong.push(`${transactionNo}: acknowledged as closed, and ${book.state}`)
    else if (!['CLOSED', 'SUCCESS', 'REFUND'].includes(book.state)) wrong.push(`${transactionNo}: still ${book.state}`)
  }
  await inLanes([...books], async ([transactionNo, { mchNo, ...head }]) => {
    const entries = await readTimeline(pool, mchNo, transactionNo)
    const broken = brokenAt(entries, mchNo, transactionNo, head)
    if (broken !== null) wrong.push(`${transactionNo}: its timeline breaks at ${broken}`)
  })
  return wrong
}

async function inLanes<Item>(items: Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const lane = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

async function untilTold(order: Told): Promise<void> {
  const { of, transactionNo } = order
  for (const untilMs = Date.now() + REST_MS; !order.isClosed && Date.now() < untilMs; await pause(LOOK_MS)) {
    const { status, data } = await close(of, transactionNo)
    if (data.code === 'SUCCESS') order.isClosed = true
    else if (status !== 1500 && data.code !== undefined) return
  }
}

const UNDER_WAY = `select (select count(*) from orders where state = 'CLOSING')
  + (select count(*) from attempt where state = 'OPENING') + (select count(*) from reversal where state = 'PROCESSING')
  + (select count(*) from refund where state = 'PROCESSING') as n`

async function untilRest(pool: Pool): Promise<void> {
  for (const untilMs = Date.now() + REST_MS; Date.now() < untilMs; await pause(LOOK_MS)) {
    const { rows } = await pool.query<{ n: bigint }>(UNDER_WAY)
    if (rows[0]?.n === 0n) return
  }
}

/** As test/support/invariants.ts has them, by merchant, so that each shard can say it of its own. */
const RULES: Record<string, string> = {
  'keeps two payments, or another amount than its own': `select o.transaction_no as no from orders o
     join payment p on p.mch_no = o.mch_no and p.transaction_no = o.transaction_no where p.fate = 'keep'
    group by o.mch_no, o.transaction_no, o.amount_fen having count(*) > 1 or max(p.amount_fen) <> o.amount_fen`,
  'is paid without a payment, or keeps one and is not paid': `select o.transaction_no as no from orders o
     left join payment p on p.mch_no = o.mch_no and p.transaction_no = o.transaction_no and p.fate = 'keep'
    where (o.state in ('SUCCESS', 'REFUND')) <> (p.payment_no is not null)`,
  'took money that is neither kept nor sent back': `select p.transaction_no as no from payment p
     left join reversal r on r.mch_no = p.mch_no and r.attempt_no = p.attempt_no and r.payment_no = p.payment_no
    where p.fate = 'reverse' and r.amount_fen is distinct from p.amount_fen`,
}

async function againstRules(pool: Pool): Promise<string[]> {
  const wrong: string[] = []
  for (const [what, text] of Object.entries(RULES)) {
    const { rows } = await pool.query<{ no: string }>(text)
    wrong.push(...rows.map(({ no }) => `${no}: ${what}`))
  }
  return wrong
}

type Book = { mchNo: string; state: string; headSeq: number; headHash: Buffer }

async function readBooks(pool: Pool): Promise<Map<string, Book>> {
  const { rows } = await pool.query<Book & { no: string }>(
    `select transaction_no as no, mch_no as "mchNo", state, head_seq as "headSeq", head_hash as "headHash" from orders`,
  )
  return new Map(rows.map(({ no, ...book }) => [no, book]))
}
