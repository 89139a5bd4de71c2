/**
 * Every kind of background job, when one of its steps throws or is never answered, when its process dies between two steps,
 * and when it sleeps until its lease has ended. Afterwards all is done, exactly once (docs/ARCHITECTURE.md, The database).
 */
import type { Channel, UpstreamBillLine, UpstreamPayment } from '@acopay/channels'
import { JOB_KINDS, type JobKind } from '@acopay/core'
import { addApp, addMerchant, planBill, planReconciliations, putChannelAccount } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { changeOrder } from '../apps/server/src/actions/order/change-order.ts'
import { closeOrder } from '../apps/server/src/actions/order/close-order.ts'
import { placeOrder } from '../apps/server/src/actions/order/place-order.ts'
import { receivePayment } from '../apps/server/src/actions/payment/receive-payment.ts'
import { startPayment } from '../apps/server/src/actions/payment/start-payment.ts'
import { runRound } from '../apps/server/src/jobs/worker.ts'
import { attemptNumber, platformNumber } from '../apps/server/src/security/numbers.ts'
import type { World } from '../apps/server/src/world.ts'
import { addUser, signedIn } from './support/console.ts'
import { interrupted, type Mishap, type Step } from './support/interrupted.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const LEASE = 15 * SECOND
const DAY_OF_ALL = '2026-03-01'

let test: TestWorld
let world: World
beforeAll(async () => {
  test = await testWorld()
  world = { ...test.world, random: () => 0.5, channelOf: async (mchNo) => channelOf(mchNo) }
  await addUser(test, 'an-operator', 'operator')
})
afterAll(() => test.stop())

// An upstream that keeps what it was asked by merchant. A refund's number works once.

type Books = { state: 'open' | 'closed' | 'paid'; payment: UpstreamPayment | null; refunds: Map<string, bigint> }
const upstream = new Map<string, Books & { attemptNo: string }>()

const booksOf = (mchNo: string): Books & { attemptNo: string } => {
  const books = upstream.get(mchNo) ?? { attemptNo: '', state: 'open', payment: null, refunds: new Map() }
  upstream.set(mchNo, books)
  return books
}

function channelOf(mchNo: string): Channel {
  const books = booksOf(mchNo)
  return {
    methods: ['native'],
    payUrlTtlMs: {},
    signIn: null,
    tradeStartsAtScan: false,
    refundVisibleAfterMs: 0,
    createInFlightMs: MINUTE,
    latePaymentWindowMs: HOUR,
    open: async ({ attemptNo }) => {
      books.attemptNo = attemptNo
      return { kind: 'opened', payUrl: 'weixin://pay' }
    },
    query: async () =>
      books.payment === null
        ? { kind: books.state === 'closed' ? 'closed' : 'open' }
        : { kind: 'paid', payment: books.payment },
    close: async () => {
      if (books.state === 'open') books.state = 'closed'
      return { kind: 'accepted' }
    },
    refund: async ({ refundNo, amountFen }) => {
      books.refunds.set(refundNo, amountFen)
      return { kind: 'done' }
    },
    queryRefund: async ({ refundNo }) => {
      const amountFen = books.refunds.get(refundNo)
      return amountFen === undefined ? { kind: 'absent' } : { kind: 'done', amountFen }
    },
    readWebhook: async () => ({ kind: 'forged', why: 'no webhook comes here' }),
    replyToWebhook: () => ({ status: 200, contentType: 'text/plain', body: '' }),
    fetchUpstreamBill: async () => ({ kind: 'bill', lines: linesOf(books) }),
  }
}

const linesOf = ({ attemptNo, payment }: Books & { attemptNo: string }): UpstreamBillLine[] =>
  payment === null
    ? []
    : [{ kind: 'payment', attemptNo, paymentNo: payment.paymentNo, amountFen: 1250n, at: payment.paidAt }]

/** The payer pays upstream. */
function paid(mchNo: string): UpstreamPayment {
  const payment = { paymentNo: `UP${mchNo}`, amountFen: 1250n, currency: 'CNY', paidAt: world.now(), payer: 'p' }
  Object.assign(booksOf(mchNo), { state: 'paid', payment })
  return payment
}

// A merchant of its own for each row, with one order.

type Shop = { mchNo: string; transactionNo: string; attemptNo: string }
let shops = 0

async function newShop(): Promise<Omit<Shop, 'attemptNo'>> {
  shops += 1
  const mchNo = `JOBS${String(shops).padStart(4, '0')}`
  const [pool, now] = [world.pool, world.now()]
  await addMerchant(pool, { mchNo, name: mchNo }, now)
  await addApp(pool, { mchNo, appNo: 'APP1', name: 'x' }, now)
  const placed = await placeOrder(world, {
    ...{ mchNo, appNo: 'APP1', mchTradeNo: `trade-number-of-${mchNo}-0000000001`, description: 'x', nonce: null },
    ...{ amountFen: 1250n as never, extra: null, notifyUrl: 'https://shop.example/told' },
    askedExpire: new Date(now.getTime() + 6 * DAY),
  })
  if (placed.kind !== 'placed') throw new Error(placed.kind)
  return { mchNo, transactionNo: placed.order.transactionNo }
}

async function openShop(): Promise<Shop> {
  const { mchNo, transactionNo } = await newShop()
  const payer = { returnUrl: null, payerIp: null, openId: null }
  const ask = { mchNo, ref: { transactionNo }, channel: 'wechat' as const, method: 'native', payer }
  const started = await startPayment(world, ask)
  if (started.kind !== 'started') throw new Error(started.kind)
  return { mchNo, transactionNo, attemptNo: started.attempt.attemptNo }
}

async function paidShop(): Promise<Shop> {
  const shop = await openShop()
  await receivePayment(world, { ...shop, payment: paid(shop.mchNo) })
  return shop
}

async function closedShop(): Promise<Shop> {
  const shop = await openShop()
  const { mchNo, transactionNo } = shop
  await closeOrder(world, { mchNo, ref: { transactionNo }, by: 'OPERATOR', nonce: null })
  return shop
}

type Row = {
  /** Brings about what the job is for, until it is due. Returns its merchant and subject. */
  arrange: () => Promise<{ mchNo: string; subject: string }>
  /** What must be true when all is done. */
  done: string
  /** The documented pause after a first try that threw. */
  pauseMs: number
  /** The pause when the upstream did not answer, where it is another. */
  unansweredMs?: number
  /** For how long a process holds the job, at most. */
  heldMs: number
  /** When a job that always throws raises its alarm. */
  alarmMs: number | null
  /** Whether the console lists a job of this kind that throws again and again. */
  isShownStuck: boolean
}

/** Every kind has a row. `done`: the books, what the merchant is told, the timeline, and what the upstream has sent back. */
const KINDS: Record<string, Row> = {
  shut_attempts: {
    async arrange() {
      const { mchNo, transactionNo } = await openShop()
      await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'close_asked', by: 'OPERATOR' })
      test.advance(LEASE)
      return { mchNo, subject: transactionNo }
    },
    done: 'order CLOSED; attempt SHUT; timeline placed, pay_started, close_asked, all_shut; job watch_attempt',
    pauseMs: 4 * SECOND,
    heldMs: LEASE,
    alarmMs: HOUR,
    isShownStuck: true,
  },
  reverse_payment: {
    async arrange() {
      const shop = await closedShop()
      await receivePayment(world, { ...shop, payment: paid(shop.mchNo) })
      const { rows } = await world.pool.query('select refund_no from reversal where mch_no = $1', [shop.mchNo])
      return { mchNo: shop.mchNo, subject: rows[0].refund_no }
    },
    done:
      'order CLOSED; attempt PAID; payment reverse; reversal SUCCESS; ' +
      'timeline placed, pay_started, close_asked, all_shut, money_arrived; upstream sent 1250',
    pauseMs: 4 * SECOND,
    heldMs: LEASE,
    alarmMs: HOUR,
    isShownStuck: true,
  },
  send_refund: {
    async arrange() {
      const { mchNo, transactionNo } = await paidShop()
      const inFlightUntil = new Date(world.now().getTime() + 2 * SECOND)
      const refundNo = platformNumber('AR', world.now(), world.newDigits(19))
      const refund = { refundNo, mchRefundNo: 'r1', amountFen: 500n as never, reason: 'x' }
      await changeOrder(
        world,
        { mchNo, ref: { transactionNo } },
        {
          event: 'refund_asked',
          refund: { ...refund, notifyUrl: 'https://shop.example/told', inFlightUntil },
          aloneUpToFen: null,
        },
      )
      test.advance(LEASE)
      return { mchNo, subject: refundNo }
    },
    done:
      'order REFUND; attempt PAID; payment keep; refund SUCCESS; told payment SUCCESS, refund SUCCESS; ' +
      'timeline placed, pay_started, money_arrived, refund_asked, refund_done; upstream sent 500',
    pauseMs: 4 * SECOND,
    heldMs: LEASE,
    alarmMs: HOUR,
    isShownStuck: true,
  },
  watch_attempt: {
    async arrange() {
      const { mchNo, attemptNo } = await closedShop()
      paid(mchNo)
      test.advance(5 * SECOND)
      return { mchNo, subject: attemptNo }
    },
    done:
      'order CLOSED; attempt PAID; payment reverse; reversal SUCCESS; ' +
      'timeline placed, pay_started, close_asked, all_shut, money_arrived; upstream sent 1250',
    pauseMs: 4 * SECOND,
    heldMs: LEASE,
    alarmMs: null,
    isShownStuck: false,
  },
  resolve_attempt: {
    async arrange() {
      const { mchNo, transactionNo } = await newShop()
      const createInFlightUntil = new Date(world.now().getTime() + 62 * SECOND)
      const attempt = { channel: 'wechat', method: 'native', openId: null, createInFlightUntil }
      await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'pay_started', attempt })
      const attemptNo = attemptNumber(world.keyedDigits, { transactionNo }, { nth: 1, channel: 'wechat' })
      booksOf(mchNo).attemptNo = attemptNo
      paid(mchNo)
      test.advance(4 * SECOND)
      return { mchNo, subject: attemptNo }
    },
    done: 'order SUCCESS; attempt PAID; payment keep; told payment SUCCESS; timeline placed, pay_started, money_arrived',
    pauseMs: 4 * SECOND,
    heldMs: LEASE,
    alarmMs: HOUR,
    isShownStuck: true,
  },
  reconcile_day: {
    async arrange() {
      const { mchNo } = await openShop()
      paid(mchNo)
      await putChannelAccount(
        world.pool,
        { mchNo, channel: 'wechat', settingsSealed: Buffer.alloc(1) },
        new Date('2026-03-01T01:00:00Z'),
      )
      const days = [{ day: DAY_OF_ALL, begin: new Date(`${DAY_OF_ALL}T00:00:00+08:00`) }]
      await planReconciliations(world.pool, days, world.now())
      return { mchNo, subject: `wechat/${DAY_OF_ALL}` }
    },
    done:
      'order SUCCESS; attempt PAID; payment keep; told payment SUCCESS; timeline placed, pay_started, money_arrived; ' +
      'reconciled 1 lines; differences PAYMENT_UNKNOWN settled',
    pauseMs: 2 * SECOND,
    unansweredMs: 5 * SECOND,
    heldMs: MINUTE + LEASE,
    alarmMs: 5 * DAY,
    isShownStuck: true,
  },
  make_bill: {
    async arrange() {
      const { mchNo } = await paidShop()
      const day = new Date(world.now().getTime() + 8 * HOUR).toISOString().slice(0, 10)
      await planBill(world.pool, { mchNo, day }, world.now())
      return { mchNo, subject: day }
    },
    done:
      'order SUCCESS; attempt PAID; payment keep; told payment SUCCESS; timeline placed, pay_started, money_arrived; ' +
      'bill of 1 lines in 1 pieces',
    pauseMs: 2 * SECOND,
    heldMs: LEASE,
    alarmMs: HOUR,
    isShownStuck: true,
  },
}

/** All that is true of a merchant, as one line. What there is none of is left out. */
async function factsOf(mchNo: string): Promise<string> {
  const { rows } = await world.pool.query(
    `select concat_ws('; ',
       (select 'order ' || state from orders where mch_no = $1),
       (select 'attempt ' || string_agg(state, ', ') from attempt where mch_no = $1),
       (select 'payment ' || string_agg(fate, ', ') from payment where mch_no = $1),
       (select 'reversal ' || string_agg(state, ', ') from reversal where mch_no = $1),
       (select 'refund ' || string_agg(state, ', ') from refund where mch_no = $1),
       (select 'told ' || string_agg(kind || ' ' || (news::json ->> 'code'), ', ' order by seq)
          from notification where mch_no = $1),
       (select 'timeline ' || string_agg(entry::json ->> 'event', ', ' order by seq) from timeline where mch_no = $1),
       (select 'job ' || string_agg(kind, ', ' order by kind) from job where mch_no = $1),
       (select 'reconciled ' || string_agg(lines || ' lines', ', ') from reconciliation where mch_no = $1),
       (select 'differences ' || string_agg(kind || case when settled then ' settled' else '' end, ', ')
          from reconciliation_difference where mch_no = $1),
       (select 'bill of ' || string_agg(lines || ' lines in ' || (select count(*) from bill_part p
            where p.mch_no = b.mch_no and p.bill_day = b.bill_day) || ' pieces', ', ') from bill b where mch_no = $1)
     ) as facts`,
    [mchNo],
  )
  const sent = [...booksOf(mchNo).refunds.values()]
  return `${rows[0].facts}${sent.length === 0 ? '' : `; upstream sent ${sent.join(', ')}`}`
}

type Held = { tries: number; dueInMs: number } | null

async function jobOf(mchNo: string, kind: string): Promise<Held> {
  const text = 'select tries, due_at from job where mch_no = $1 and kind = $2'
  const [row] = (await world.pool.query(text, [mchNo, kind])).rows
  return row === undefined ? null : { tries: row.tries, dueInMs: row.due_at.getTime() - world.now().getTime() }
}

/** Arranges the job; nothing else is due. */
async function arranged(kind: string): Promise<{ mchNo: string; subject: string }> {
  const one = await (KINDS[kind] as Row).arrange()
  await world.pool.query('delete from job where mch_no <> $1 or kind <> $2', [one.mchNo, kind])
  return one
}

/** Healthy processes work until only a watch is left, or nothing is. */
async function heal(mchNo: string, kind: string): Promise<void> {
  for (let rounds = 0; rounds < 20; rounds += 1) {
    const { rows } = await world.pool.query(
      `select min(due_at) as due from job where mch_no = $1 and (kind <> 'watch_attempt' or kind = $2)`,
      [mchNo, kind],
    )
    if (rows[0].due === null) return
    test.advance(Math.max(0, rows[0].due.getTime() - world.now().getTime()))
    await runRound(world)
  }
  throw new Error(`${kind} is never done`)
}

/** To lose the answer to these is the same as to fail in them. */
const READS = /^(connect|begin|channelOf|find|lock|is|attemptsOf|keptPayment|paymentsOfDay|refundsBetween|billRows)/

/** What is wrong after this mishap; null if nothing is. */
type Try = (kind: string, mishap: Mishap, step: Step) => Promise<string | null>

const afterThrow: Try = async (kind, mishap, step) => {
  const row = KINDS[kind] as Row
  const { mchNo } = await arranged(kind)
  await runRound(interrupted(world, mishap).world)
  const held = await jobOf(mchNo, kind)
  const isSettling = step.name === 'removeJob' && !step.isInTransaction
  const unansweredMs = row.unansweredMs ?? row.pauseMs
  const pauseMs = step.name.startsWith('upstream ') ? unansweredMs : row.pauseMs
  const dueInMs = isSettling ? row.heldMs : pauseMs
  // A job that is gone must have been done.
  if (held !== null && held.dueInMs !== dueInMs) return `due again in ${held.dueInMs} ms, not ${dueInMs}`
  await heal(mchNo, kind)
  return differs(mchNo, row)
}

const afterDeath: Try = async (kind, mishap) => {
  const row = KINDS[kind] as Row
  const { mchNo } = await arranged(kind)
  const process = interrupted(world, mishap)
  void runRound(process.world)
  await process.stopped
  const held = await jobOf(mchNo, kind)
  if (held !== null) {
    if (held.dueInMs !== LEASE && held.dueInMs !== row.heldMs) return `held for ${held.dueInMs} ms`
    test.advance(held.dueInMs - 1)
    await runRound(world)
    const still = await jobOf(mchNo, kind)
    if (still?.tries !== held.tries || still.dueInMs !== 1) return 'taken while it was held'
    test.advance(1)
    await runRound(world)
    if ((await jobOf(mchNo, kind))?.tries === held.tries) return 'not taken when the lease ended'
  }
  await heal(mchNo, kind)
  return differs(mchNo, row)
}

const afterSleep: Try = async (kind, mishap) => {
  const row = KINDS[kind] as Row
  const { mchNo } = await arranged(kind)
  const process = interrupted(world, mishap)
  const late = runRound(process.world)
  await process.stopped
  await heal(mchNo, kind)
  const before = await factsOf(mchNo)
  process.wake()
  await late
  const wrong = await differs(mchNo, row)
  return before === row.done ? wrong : `before the late one woke: ${before}`
}

async function differs(mchNo: string, { done }: Row): Promise<string | null> {
  const facts = await factsOf(mchNo)
  return facts === done ? null : facts
}

/** The steps of a job that nothing happens to. */
async function stepsOf(kind: string): Promise<Step[]> {
  const { mchNo } = await arranged(kind)
  const process = interrupted(world, { kind: 'throws', at: 0 })
  await runRound(process.world)
  await heal(mchNo, kind)
  expect(await factsOf(mchNo), `${kind}, undisturbed`).toBe((KINDS[kind] as Row).done)
  return process.steps
}

/** Tries the mishap at every step for which it makes sense. Returns what went wrong, and how many tries there were. */
async function everyStep(kind: string, tries: { of: Mishap['kind']; after: Try; may?: (step: Step) => boolean }) {
  const { of, after, may = () => true } = tries
  const wrong: string[] = []
  let rows = 0
  for (const [index, step] of (await stepsOf(kind)).entries()) {
    if (!may(step)) continue
    rows += 1
    const says = await after(kind, { kind: of, at: index + 1 }, step)
    if (says !== null) wrong.push(`step ${index + 1}, ${step.name}: ${says}`)
  }
  expect(rows).toBeGreaterThan(2)
  expect(wrong).toEqual([])
}

const all = Object.keys(KINDS)

it('every kind of job has a row here', () => {
  expect(all.sort()).toEqual([...JOB_KINDS].sort())
})

describe.each(all)('%s is done, exactly once,', (kind) => {
  it(
    'after any step of it has thrown, and is tried again after its pause',
    () => everyStep(kind, { of: 'throws', after: afterThrow }),
    120_000,
  )

  it(
    'after the answer to any step of it was lost',
    () => everyStep(kind, { of: 'answer lost', after: afterThrow, may: ({ name }) => !READS.test(name) }),
    120_000,
  )

  it(
    'after its process died before any step of it, and no process takes it before its lease has ended',
    () => everyStep(kind, { of: 'dies', after: afterDeath }),
    120_000,
  )

  it(
    'after its process slept before any step of it until another process had done it: the late one changes nothing',
    () => everyStep(kind, { of: 'sleeps', after: afterSleep, may: ({ isInTransaction }) => !isInTransaction }),
    120_000,
  )
})

// The doubling pauses of docs/operating.md: 1 s after no try, then 2, 4, 8 … s, at most 5 minutes.
const PAUSES = [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300].map((seconds) => seconds * SECOND)

const alarmsOf = (mchNo: string): unknown[] =>
  test.logged().filter((line) => line.mchNo === mchNo && line.alarm === true)

describe.each(all)('%s that always throws', (kind) => {
  it('is tried again and again with growing pauses, is shown as stuck, raises one alarm, and is done once it can be', async () => {
    const row = KINDS[kind] as Row
    const { mchNo } = await arranged(kind)
    const fails = (): Promise<number> => runRound(interrupted(world, { kind: 'throws', at: 1 }).world)
    const createdMs = (await world.pool.query('select created_at from job')).rows[0].created_at.getTime()
    const pauses = row.pauseMs === 2 * SECOND ? PAUSES : PAUSES.slice(1)
    for (const pauseMs of pauses) {
      await fails()
      expect((await jobOf(mchNo, kind))?.dueInMs, 'the pause').toBe(pauseMs)
      test.advance(pauseMs)
    }
    // By now it is older than ten minutes and was tried ten times, and younger than an hour.
    expect(alarmsOf(mchNo)).toEqual([])
    await fails()
    expect(await stuckKinds(mchNo), 'the list of stuck jobs').toEqual(row.isShownStuck ? [kind] : [])
    for (const alarmMs of [HOUR, 5 * DAY]) {
      test.advance(createdMs + alarmMs - world.now().getTime() - 1)
      await fails()
      expect(alarmsOf(mchNo), `before ${alarmMs} ms`).toHaveLength(alarmMs === 5 * DAY && row.alarmMs === HOUR ? 1 : 0)
      test.advance(5 * MINUTE)
      await fails()
      const isRaised = row.alarmMs !== null && row.alarmMs <= alarmMs
      expect(alarmsOf(mchNo), `after ${alarmMs} ms`).toHaveLength(isRaised ? 1 : 0)
    }
    await heal(mchNo, kind)
    expect(await differs(mchNo, row)).toBeNull()
  }, 60_000)
})

async function stuckKinds(mchNo: string): Promise<string[]> {
  const operator = await signedIn(test, 'an-operator')
  const { status, body } = await operator.get(`jobs?mch_no=${mchNo}&limit=100`)
  expect(status).toBe(200)
  return body.rows.map((row: { kind: JobKind }) => row.kind)
}
