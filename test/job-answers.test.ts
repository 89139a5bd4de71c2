/** What a job makes of each answer of an upstream, one millisecond before each of its bounds and at the bound. */
import type { QueryAnswer, UpstreamBillAnswer } from '@acopay/channels'
import type { Job } from '@acopay/store'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { resolveAttempt } from '../apps/server/src/actions/payment/resolve-attempt.ts'
import { watchAttempt } from '../apps/server/src/actions/payment/watch-attempt.ts'
import { reconcileDay } from '../apps/server/src/actions/reconciliation/reconcile-day.ts'
import { runRound } from '../apps/server/src/jobs/worker.ts'
import type { World } from '../apps/server/src/world.ts'
import { interrupted } from './support/interrupted.ts'
import { close, openAttempt, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR

let test: TestWorld
const says = {
  open: 'unknown' as 'unknown' | 'opened',
  query: { kind: 'absent' } as QueryAnswer,
  bill: { kind: 'none' } as UpstreamBillAnswer,
}
let queries = 0
let closes = 0
beforeAll(async () => {
  test = await testWorld({
    upstream: () => ({
      latePaymentWindowMs: DAY,
      open: async () =>
        says.open === 'opened' ? { kind: 'opened', payUrl: 'weixin://x' } : { kind: 'unknown', why: 'it is silent' },
      query: async () => {
        queries += 1
        return says.query
      },
      close: async () => {
        closes += 1
        return { kind: 'accepted' }
      },
      fetchUpstreamBill: async () => says.bill,
    }),
  })
})
beforeEach(() => {
  queries = 0
  closes = 0
})
afterAll(() => test.stop())

const moveTo = (ms: number): void => test.advance(ms - test.world.now().getTime())

async function attemptRow(attemptNo: string) {
  const sql = `select state, last_answer, last_answer_at, upstream_expire, create_lands_until from attempt where attempt_no = $1`
  return (await test.database.pool.query(sql, [attemptNo])).rows[0]
}

it('the watch of a closed attempt asks on until no payment can arrive, and of a silent upstream thirty days longer', async () => {
  const { demo, world } = test
  says.open = 'opened'
  says.query = { kind: 'closed' }
  const order = await place(demo)
  const attemptNo = (await openAttempt(demo, order)) ?? ''
  expect(await close(demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
  const overMs = (await attemptRow(attemptNo)).upstream_expire.getTime() + DAY
  const unknown: QueryAnswer = { kind: 'unknown', why: 'it is silent' }
  const rows: [answer: QueryAnswer, at: number, outcome: string, closes: number][] = [
    [unknown, -1, 'retry_soon', 0],
    [unknown, 0, 'retry', 0],
    [unknown, 30 * DAY - 1, 'retry', 0],
    [unknown, 30 * DAY, 'done', 0],
    [{ kind: 'absent' }, -1, 'retry', 0],
    [{ kind: 'absent' }, 0, 'done', 0],
    [{ kind: 'closed' }, -1, 'retry', 0],
    [{ kind: 'closed' }, 0, 'done', 0],
    // It was scanned since: it is closed before it can be paid, while it can be.
    [{ kind: 'open' }, -1, 'retry_soon', 1],
    [{ kind: 'open' }, 0, 'done', 0],
  ]
  const wrong: unknown[] = []
  for (const [answer, at, outcome, closed] of rows) {
    says.query = answer
    closes = 0
    moveTo(overMs + at)
    const found = await watchAttempt(world, { mchNo: demo.mchNo, attemptNo })
    if (found !== outcome || closes !== closed) wrong.push([answer.kind, at, found, closes])
  }
  expect(wrong).toEqual([])
  await expect(watchAttempt(world, { mchNo: demo.mchNo, attemptNo: 'AT404' })).rejects.toThrow('no attempt AT404')
})

it('an attempt whose create was not answered stays in doubt until an answer proves that it cannot come any more', async () => {
  const { demo, world } = test
  says.open = 'unknown'
  const order = await place(demo)
  const beganMs = world.now().getTime()
  const attemptNo = (await openAttempt(demo, order)) ?? ''
  // The caller waits 2 s for the upstream; twice as long after the beginning the job looks after it.
  const { rows } = await test.database.pool.query('select kind, due_at from job where subject = $1', [attemptNo])
  expect(rows.map(({ kind, due_at }) => [kind, due_at.getTime() - beganMs])).toEqual([['resolve_attempt', 4_000]])
  const key = { mchNo: demo.mchNo, attemptNo }
  const { create_lands_until, last_answer } = await attemptRow(attemptNo)
  expect(last_answer).toBe('open: unknown (it is silent)')
  const landsMs = create_lands_until.getTime()
  const ask = async (answer: QueryAnswer, at: number) => {
    says.query = answer
    moveTo(landsMs + at)
    const outcome = await resolveAttempt(world, key)
    const row = await attemptRow(attemptNo)
    return [outcome, row.state, row.last_answer, row.last_answer_at.getTime() - landsMs]
  }
  expect(await ask({ kind: 'unknown', why: 'HTTP 502' }, 5)).toEqual([
    'retry',
    'OPENING',
    'query: unknown (HTTP 502)',
    5,
  ])
  expect(await ask({ kind: 'absent' }, -1)).toEqual(['retry', 'OPENING', 'query: absent', -1])
  expect(await ask({ kind: 'absent' }, 0)).toEqual(['done', 'SHUT', 'query: absent', 0])
  queries = 0
  // It is known by now: nothing is asked.
  expect(await ask({ kind: 'open' }, 1)).toEqual(['done', 'SHUT', 'query: absent', 0])
  expect(queries).toBe(0)
  await expect(resolveAttempt(world, { ...key, attemptNo: 'AT404' })).rejects.toThrow('no attempt AT404')
})

it('an attempt that was opened although its answer was lost is open, without a code to show', async () => {
  const { demo, world } = test
  says.open = 'unknown'
  const order = await place(demo)
  const attemptNo = (await openAttempt(demo, order)) ?? ''
  says.query = { kind: 'open' }
  expect(await resolveAttempt(world, { mchNo: demo.mchNo, attemptNo })).toBe('done')
  const { rows } = await test.database.pool.query('select state, pay_url from attempt where attempt_no = $1', [
    attemptNo,
  ])
  expect(rows).toEqual([{ state: 'OPEN', pay_url: null }])
  const jobs = await test.database.pool.query('select kind from job where subject = $1', [attemptNo])
  expect(jobs.rows).toEqual([])
})

it('a day is compared again while its bill is not there, and seven times while the upstream says nothing of a line', async () => {
  const { demo, world, database } = test
  const job = (tries: number): Job => ({
    mchNo: demo.mchNo,
    kind: 'reconcile_day',
    subject: 'wechat/2026-02-20',
    tries,
    createdAt: world.now(),
  })
  const read = async (table: string, columns: string) =>
    (
      await database.pool.query(`select ${columns} from ${table} where mch_no = $1 and day = '2026-02-20'`, [
        demo.mchNo,
      ])
    ).rows
  const sums = 'channel, lines, differences, paid_lines, paid_fen, refunded_lines, refunded_fen, done_at'
  for (const bill of [{ kind: 'later' }, { kind: 'unknown', why: 'HTTP 502' }] as UpstreamBillAnswer[]) {
    says.bill = bill
    expect(await reconcileDay(world, job(1))).toBe('retry')
  }
  const line = { attemptNo: 'AT404', paymentNo: 'UP404', at: new Date('2026-02-20T04:00:00Z') }
  says.bill = {
    kind: 'bill',
    lines: [
      { kind: 'payment', ...line, amountFen: 700n },
      { kind: 'payment', ...line, paymentNo: 'UP405', amountFen: 30n },
      { kind: 'refund', ...line, refundNo: 'R404', amountFen: 5n },
    ],
  }
  says.query = { kind: 'unknown', why: 'HTTP 502' }
  expect(await reconcileDay(world, job(7))).toBe('retry')
  expect(await read('reconciliation', sums)).toEqual([])
  expect(await reconcileDay(world, job(8))).toBe('done')
  expect(await read('reconciliation', sums)).toEqual([
    {
      channel: 'wechat',
      lines: 3,
      differences: 3,
      paid_lines: 2,
      paid_fen: 730n,
      refunded_lines: 1,
      refunded_fen: 5n,
      done_at: world.now(),
    },
  ])
  const columns = 'channel, kind, attempt_no, payment_no, refund_no, ours_fen, theirs_fen, settled, note, found_at'
  const found = (await read('reconciliation_difference', columns)).sort((one, other) =>
    `${one.kind} ${one.payment_no}` < `${other.kind} ${other.payment_no}` ? -1 : 1,
  )
  const rest = {
    channel: 'wechat',
    attempt_no: 'AT404',
    ours_fen: null,
    settled: false,
    note: null,
    found_at: world.now(),
  }
  expect(found).toEqual([
    { ...rest, kind: 'PAYMENT_UNKNOWN', payment_no: 'UP404', refund_no: '', theirs_fen: 700n },
    { ...rest, kind: 'PAYMENT_UNKNOWN', payment_no: 'UP405', refund_no: '', theirs_fen: 30n },
    { ...rest, kind: 'REFUND_UNKNOWN', payment_no: 'UP404', refund_no: 'R404', theirs_fen: 5n },
  ])
})

/** A third of a lease passes with each look at the clock: a job that lasts extends its lease wherever it may. */
function hurried(world: World): World {
  let ms = world.now().getTime()
  return {
    ...world,
    limits: { ...world.limits, leaseMs: 3 },
    now: () => {
      ms += 1
      return new Date(ms)
    },
  }
}

/** Whatever a job does upstream or writes fails once, each in its turn: then the job fails, and nothing goes on without it. */
it('a job fails with each statement and each call of its own that fails', async () => {
  const { demo, database } = test
  const { mchNo } = demo
  says.open = 'unknown'
  const inDoubt = (await openAttempt(demo, await place(demo))) ?? ''
  const line = { attemptNo: 'AT405', paymentNo: 'UP406', amountFen: 900n }
  const at = new Date('2026-02-21T04:00:00Z')
  const job = {
    mchNo,
    kind: 'reconcile_day',
    subject: 'wechat/2026-02-21',
    tries: 8,
    createdAt: test.world.now(),
  } as const
  const rows: [name: string, answer: QueryAnswer, run: (world: World) => Promise<unknown>][] = [
    ['watch', { kind: 'absent' }, (world) => watchAttempt(world, { mchNo, attemptNo: inDoubt })],
    ['resolve', { kind: 'absent' }, (world) => resolveAttempt(world, { mchNo, attemptNo: inDoubt })],
    [
      'reconcile',
      { kind: 'paid', payment: { ...line, currency: 'CNY', paidAt: at, payer: null } },
      (world) => reconcileDay(hurried(world), job),
    ],
  ]
  await database.pool.query(
    'insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, $2, $3, $4, $5, $4)',
    [mchNo, job.kind, job.subject, job.createdAt, job.tries],
  )
  const refundLine = { kind: 'refund', ...line, refundNo: 'R406', at } as const
  says.bill = { kind: 'bill', lines: [{ kind: 'payment', ...line, at }, refundLine] }
  for (const [name, answer, run] of rows) {
    says.query = answer
    const whole = interrupted(test.world, { kind: 'throws', at: 0 })
    await run(whole.world)
    expect(whole.steps.length, name).toBeGreaterThan(1)
    for (const [index, step] of whole.steps.entries()) {
      const broken = interrupted(test.world, { kind: 'throws', at: index + 1 })
      const said = await run(broken.world).catch((error: Error) => error.message)
      // A call that fails is an answer that is not known.
      if (!step.name.startsWith('upstream ')) expect(said, `${name}, ${step.name}`).toContain('throws')
    }
  }
  const { rows: strays } = await database.pool.query(
    `select channel, attempt_no, payment_no, amount_fen, currency, paid_at from stray_payment where attempt_no = 'AT405'`,
  )
  expect(strays).toEqual([
    { channel: 'wechat', attempt_no: 'AT405', payment_no: 'UP406', amount_fen: 900n, currency: 'CNY', paid_at: at },
  ])
})

it('a job that is not done raises one alarm, at the moment from which its kind is late, and a watch none', async () => {
  const { demo, world, database } = test
  const soon = world.limits.alarmAfterMs
  const rows: [kind: string, ageMs: number, alarms: number][] = [
    ['reverse_payment', soon - 1, 0],
    ['reverse_payment', soon, 1],
    ['send_refund', soon - 1, 0],
    ['send_refund', soon, 1],
    ['resolve_attempt', soon - 1, 0],
    ['resolve_attempt', soon, 1],
    ['watch_attempt', 60 * DAY, 0],
    ['reconcile_day', 5 * DAY - 1, 0],
    ['reconcile_day', 5 * DAY, 1],
  ]
  const wrong: unknown[] = []
  for (const [index, [kind, ageMs, alarms]] of rows.entries()) {
    test.advance(1000)
    const now = world.now()
    // What it is about does not exist: each try fails.
    const subject = kind === 'reconcile_day' ? `none${index}/2026-01-01` : `X${index}`
    await database.pool.query('delete from job')
    const sql = 'insert into job (mch_no, kind, subject, due_at, created_at) values ($1, $2, $3, $4, $5)'
    await database.pool.query(sql, [demo.mchNo, kind, subject, now, new Date(now.getTime() - ageMs)])
    const raised = () => test.logged().filter((line) => line.alarm === true && line.subject === subject).length
    await runRound(world)
    const { rows: left } = await database.pool.query('select tries, due_at, alarmed_at from job')
    const [job] = left
    const found = [raised(), job.tries, job.due_at > now, job.alarmed_at?.getTime() ?? null]
    await database.pool.query('update job set due_at = $1', [now])
    await runRound(world)
    const expected = [alarms, 1, true, alarms === 0 ? null : now.getTime()]
    if (JSON.stringify([...found, raised()]) !== JSON.stringify([...expected, alarms]))
      wrong.push({ kind, ageMs, found })
  }
  expect(wrong).toEqual([])
})
