/** The orders that measurements run on, held against a second making of them: from PostgreSQL's hashes of their numbers, in TypeScript. */
import { createHash, createHmac } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { addMerchant } from '../merchants/merchants.ts'
import { addLoadMerchants, addLoadOrders, analyzeLoad, countLoadOrders, LOAD_MERCHANTS } from './seed-orders.ts'

const MINUTE = 60_000
const STAMP_KEY = Buffer.from('0123456789abcdef0123456789abcdef')
const TOTAL = 600
const BEGIN = new Date('2026-01-31T10:00:00.000Z')
/** One order a minute. */
const END = new Date(BEGIN.getTime() + TOTAL * MINUTE)

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  for (const mchNo of ['MCH1', 'LOAD1', 'MYLOAD01']) await addMerchant(database.pool, { mchNo, name: 'x' }, BEGIN)
  await addLoadMerchants(database.pool, BEGIN)
  await addLoadMerchants(database.pool, END)
})
afterAll(() => database.drop())

const all = async (sql: string) => (await database.pool.query(sql)).rows

type Drawn = { i: bigint; whose: number; hashes: bigint[] }
type Row = Record<string, unknown>

const size = (value: bigint): bigint => (value < 0n ? -value : value)

/** What an order's number makes of it. */
function orderOf({
  i,
  whose,
  hashes: [ofMerchant = 0n, ofFate = 0n, ofFen = 0n, ofDigits = 0n, ofChannel = 0n, ofTook = 0n],
}: Drawn) {
  const placedAt = new Date(BEGIN.getTime() + Number(i) * MINUTE)
  const endedAt = new Date(placedAt.getTime() + (5 + Number(size(ofTook % 600n))) * 1000)
  const fate = Number(size(ofFate % 100n))
  const ended = fate < 62 ? 'SUCCESS' : fate < 66 ? 'REFUND' : 'CLOSED'
  const inChina = new Date(placedAt.getTime() + 8 * 60 * MINUTE).toISOString().replace(/\D/g, '').slice(0, 17)
  return {
    i,
    placedAt,
    endedAt,
    mchNo: `LOAD${(whose % 2 === 0 ? 0n : size(ofMerchant % 200n) + 1n).toString().padStart(4, '0')}`,
    number: inChina + (size(ofDigits) / 2n).toString().padStart(19, '0'),
    tradeNo: `load${i.toString().padStart(20, '0')}`,
    amountFen: 1n + size(ofFen % 50_000n),
    channel: ofChannel % 3n === 0n ? 'alipay' : 'wechat',
    // The newest are still open.
    state: placedAt.getTime() > END.getTime() - 10 * MINUTE ? 'NOTPAY' : ended,
    reason: fate < 86 ? 'EXPIRED' : fate < 98 ? 'MERCHANT' : 'OPERATOR',
    hasAttempt: fate < 80,
  }
}
type Made = ReturnType<typeof orderOf>

const isPaid = ({ state }: Made): boolean => state === 'SUCCESS' || state === 'REFUND'
const isTried = ({ hasAttempt, state }: Made): boolean => hasAttempt && state !== 'NOTPAY'

function entriesOf(one: Made): { at: Date; entry: Row }[] {
  const { placedAt, endedAt, number, reason, state, channel, tradeNo, amountFen } = one
  const at = (when: Date, entry: Row) => ({ at: when, entry: { at: when.toISOString(), ...entry } })
  const attemptNo = `AT${number}`
  const entries = [at(placedAt, { event: 'placed', to: 'NOTPAY', mchTradeNo: tradeNo })]
  if (isTried(one)) {
    const started = { event: 'pay_started', from: 'NOTPAY', to: 'NOTPAY', closeReason: null, money: null }
    entries.push(at(placedAt, { ...started, attemptNo, channel, method: 'native' }))
  }
  if (isPaid(one)) {
    const arrived = { event: 'money_arrived', from: 'NOTPAY', to: 'SUCCESS', closeReason: null, money: 'keep' }
    entries.push(at(endedAt, { ...arrived, attemptNo, paymentNo: `42${number}`, amountFen: String(amountFen) }))
  }
  if (state === 'REFUND') {
    const done = { event: 'refund_done', from: 'SUCCESS', to: 'REFUND', closeReason: null, money: null }
    entries.push(at(endedAt, { ...done, refundNo: `AR${number}` }))
  }
  if (state === 'CLOSED') {
    const event = reason === 'EXPIRED' ? 'expired' : 'close_asked'
    const to = isTried(one) ? 'CLOSING' : 'CLOSED'
    entries.push(at(endedAt, { event, from: 'NOTPAY', to, closeReason: reason, money: null }))
    if (isTried(one)) {
      const shut = { event: 'all_shut', from: 'CLOSING', to: 'CLOSED', closeReason: reason, money: null }
      entries.push(at(endedAt, { ...shut, attemptNos: [attemptNo], said: [] }))
    }
  }
  return entries
}

/** The timeline's rows: each hash covers the one before (spec/order-lifecycle.md, Timeline); docs/decisions/0023: the stamps. */
function timelineOf(one: Made): Row[] {
  const sha = (...parts: (string | Buffer)[]): Buffer =>
    parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()
  let hash = sha(`acopay timeline v1\n${one.mchNo}\nAP${one.number}`)
  return entriesOf(one).map(({ at, entry }, index) => {
    const text = JSON.stringify(entry)
    hash = sha(hash, text)
    const seq = index + 1
    const own = createHmac('sha256', STAMP_KEY).update(one.mchNo).digest()
    const mac = createHmac('sha256', own).update(`transaction_no AP${one.number}\n${seq}\n${text}`).digest()
    return { mch_no: one.mchNo, transaction_no: `AP${one.number}`, seq, at, entry: text, hash, mac }
  })
}

const orderRow = (one: Made): Row => ({
  mch_no: one.mchNo,
  transaction_no: `AP${one.number}`,
  app_no: `APP${one.mchNo}`,
  mch_trade_no: one.tradeNo,
  description: `压测订单 ${one.i}`,
  amount_fen: one.amountFen,
  currency: 'CNY',
  extra: null,
  notify_url: null,
  asked_expire: null,
  time_expire: new Date(one.placedAt.getTime() + 120 * MINUTE),
  state: one.state,
  close_reason: one.state === 'CLOSED' ? one.reason : null,
  attempts: isTried(one) ? 1 : 0,
  success_time: isPaid(one) ? one.endedAt : null,
  payer: null,
  pay_channel: isPaid(one) ? one.channel : null,
  pay_method: isPaid(one) ? 'native' : null,
  head_seq: entriesOf(one).length,
  head_hash: timelineOf(one).at(-1)?.hash,
  created_at: one.placedAt,
  changed_at: one.endedAt,
  closed_at: one.state === 'CLOSED' ? one.endedAt : null,
})

const attemptRow = (one: Made): Row => ({
  mch_no: one.mchNo,
  attempt_no: `AT${one.number}`,
  transaction_no: `AP${one.number}`,
  channel: one.channel,
  method: 'native',
  amount_fen: one.amountFen,
  state: one.state === 'CLOSED' ? 'SHUT' : 'PAID',
  upstream_expire: new Date(one.placedAt.getTime() + 120 * MINUTE),
  create_lands_until: one.placedAt,
  created_at: one.placedAt,
  changed_at: one.endedAt,
})

const paymentRow = (one: Made): Row => ({
  mch_no: one.mchNo,
  attempt_no: `AT${one.number}`,
  payment_no: `42${one.number}`,
  transaction_no: `AP${one.number}`,
  amount_fen: one.amountFen,
  currency: 'CNY',
  paid_at: one.endedAt,
  fate: 'keep',
  booked_at: one.endedAt,
})

const refundRow = (one: Made): Row => ({
  mch_no: one.mchNo,
  refund_no: `AR${one.number}`,
  mch_refund_no: `r${one.tradeNo}`,
  transaction_no: `AP${one.number}`,
  attempt_no: `AT${one.number}`,
  payment_no: `42${one.number}`,
  amount_fen: one.amountFen,
  reason: '压测退款',
  state: 'SUCCESS',
  lands_until: one.endedAt,
  success_time: one.endedAt,
  created_at: one.endedAt,
  changed_at: one.endedAt,
})

it('merchants to measure with are 201, each with an app; nobody else gets one', async () => {
  expect(LOAD_MERCHANTS).toBe(201)
  const merchants = await all(
    `select mch_no, name, created_at from merchant where mch_no like 'LOAD0%' order by mch_no`,
  )
  expect(merchants).toHaveLength(201)
  expect(merchants[0]).toEqual({ mch_no: 'LOAD0000', name: '压测商户 0', created_at: BEGIN })
  expect(merchants[200]).toEqual({ mch_no: 'LOAD0200', name: '压测商户 200', created_at: BEGIN })
  const apps = await all('select mch_no, app_no, name, created_at from app order by mch_no')
  expect(apps).toEqual(merchants.map((one) => ({ ...one, app_no: `APP${one.mch_no}` })))
})

it('orders to measure with are what their numbers make of them, in every row that a real one would have', async () => {
  const { pool } = database
  expect(await countLoadOrders(pool)).toBe(0)
  for (const [from, until] of [
    [0, 250],
    [250, TOTAL],
  ] as const) {
    await addLoadOrders(pool, { from, until, total: TOTAL, begin: BEGIN, end: END, stampKey: STAMP_KEY })
    expect(await countLoadOrders(pool)).toBe(until)
  }
  await analyzeLoad(pool)
  const drawn: Drawn[] = await all(
    `select i, hashint8(i) as whose, array(select hashint8extended(i, k)::text from generate_series(1, 6) k) as hashes
       from generate_series(0::bigint, ${TOTAL - 1}) i order by i`,
  )
  const made = drawn.map((one) => orderOf({ ...one, hashes: one.hashes.map(BigInt) }))
  const columns = (row: Row): string => Object.keys(row).join(', ')
  const hold = async (table: string, order: string, rows: Row[]) => {
    const [row] = rows
    if (row === undefined) throw new Error(`no row of ${table} is expected`)
    expect(await all(`select ${columns(row)} from ${table} order by ${order}`), table).toEqual(rows)
  }
  await hold('orders', 'mch_trade_no', made.map(orderRow))
  await hold(
    'timeline t',
    '(select mch_trade_no from orders o where o.transaction_no = t.transaction_no), seq',
    made.flatMap(timelineOf),
  )
  await hold('attempt', 'created_at', made.filter(isTried).map(attemptRow))
  await hold('payment', 'substr(transaction_no, 1, 19)', made.filter(isPaid).map(paymentRow))
  await hold('refund', 'mch_refund_no', made.filter(({ state }) => state === 'REFUND').map(refundRow))
})
