/** What becomes of a refund by each answer to it and to the query that follows: its state, its words, and what is tried when. */
import type { RefundAnswer, RefundQueryAnswer } from '@acopay/channels'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sendRefundAgain } from '../apps/server/src/actions/refund/send-refund.ts'
import { call, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
let order = ''
const says = {
  refund: { kind: 'done' } as RefundAnswer,
  query: { kind: 'absent' } as RefundQueryAnswer,
  visibleAfterMs: 0,
}
let calls = ''
beforeAll(async () => {
  test = await testWorld({
    upstream: () => ({
      createInFlightMs: 7000,
      get refundVisibleAfterMs() {
        return says.visibleAfterMs
      },
      refund: async () => {
        calls += 'refund '
        return says.refund
      },
      queryRefund: async () => {
        calls += 'query '
        return says.query
      },
    }),
  })
  order = await place(test.demo, { amount_total: '100.00' })
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
})
afterAll(() => test.stop())

const AMOUNT = 10n

async function refundRow(mchRefundNo: string) {
  const { rows } = await test.database.pool.query(
    `select r.refund_no, r.state, r.failure, r.refusal, r.last_answer, r.lands_until, j.kind from refund r
       left join job j on j.mch_no = r.mch_no and j.subject = r.refund_no where r.mch_refund_no = $1`,
    [mchRefundNo],
  )
  return rows[0]
}

let count = 0
/** Asks for a refund of 0.10; answers the merchant's number of it. */
async function ask(): Promise<string> {
  count += 1
  calls = ''
  const mch_refund_no = `answers-of-the-upstream-${count}`
  const params = { transaction_no: order, mch_refund_no, refund_amount: '0.10', refund_reason: '退货' }
  await call(test.demo, { method: 'POST', path: 'refund', params })
  return mch_refund_no
}

const REFUSED: RefundAnswer = { kind: 'refused', why: 'NOT_ENOUGH' }
const PROCESSING: RefundAnswer = { kind: 'processing' }
const UNKNOWN: RefundAnswer = { kind: 'unknown', why: 'HTTP 502' }

it('the first call ends it where its answer, or a query after it, is proof; else the job goes on', async () => {
  const absent: RefundQueryAnswer = { kind: 'absent' }
  const failed: RefundQueryAnswer = { kind: 'failed', why: 'CLOSED' }
  const done: RefundQueryAnswer = { kind: 'done', amountFen: AMOUNT }
  const rows: [answer: RefundAnswer, query: RefundQueryAnswer, calls: string, stands: string, words: string | null][] =
    [
      [{ kind: 'done' }, absent, 'refund', 'SUCCESS', null],
      [UNKNOWN, done, 'refund', 'PROCESSING', 'refund: unknown (HTTP 502)'],
      [REFUSED, absent, 'refund query', 'FAIL NOT_ENOUGH', null],
      [REFUSED, failed, 'refund query', 'FAIL CLOSED', null],
      [REFUSED, done, 'refund query', 'SUCCESS', null],
      [
        REFUSED,
        { kind: 'done', amountFen: AMOUNT - 1n },
        'refund query',
        'PROCESSING',
        'refund: unknown (refused, then query: done)',
      ],
      [
        REFUSED,
        { kind: 'unknown', why: 'HTTP 502' },
        'refund query',
        'PROCESSING',
        'refund: unknown (refused, then query: unknown (HTTP 502))',
      ],
      [
        PROCESSING,
        { kind: 'processing' },
        'refund query',
        'PROCESSING',
        'refund: unknown (processing, then query: processing)',
      ],
      [PROCESSING, absent, 'refund query', 'PROCESSING', 'refund: unknown (processing, then query: absent)'],
      [PROCESSING, failed, 'refund query', 'FAIL CLOSED', null],
      [PROCESSING, done, 'refund query', 'SUCCESS', null],
    ]
  const wrong: unknown[] = []
  for (const [answer, query, asked, stands, words] of rows) {
    Object.assign(says, { refund: answer, query })
    const { state, failure, last_answer, kind } = await refundRow(await ask())
    const found = [calls.trim(), [state, failure].filter(Boolean).join(' '), last_answer, kind]
    const expected = [asked, stands, words, state === 'PROCESSING' ? 'send_refund' : null]
    if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push({ answer, query, found, expected })
  }
  expect(wrong).toEqual([])
})

const moveTo = (ms: number): void => test.advance(ms - test.world.now().getTime())

/** The job's next try, `ms` after the moment up to which the last call may reach the upstream. */
async function again(mchRefundNo: string, ms: number): Promise<string> {
  const before = await refundRow(mchRefundNo)
  moveTo(before.lands_until.getTime() + ms)
  calls = ''
  const key = { mchNo: test.demo.mchNo, refundNo: before.refund_no }
  const outcome = await sendRefundAgain(test.world, key)
  const after = await refundRow(mchRefundNo)
  const moved = after.lands_until.getTime() - before.lands_until.getTime() - ms
  return `${outcome}: ${calls.trim()}, ${after.state} ${after.failure ?? after.refusal ?? ''}${moved === -ms ? '' : `, may land ${moved} ms later`}`
}

it('a refusal is final once no earlier call can reach the upstream any more, to the millisecond', async () => {
  Object.assign(says, { refund: UNKNOWN, query: { kind: 'absent' } })
  const refund = await ask()
  says.refund = REFUSED
  const limit = test.world.limits.channelCallMs
  expect(await again(refund, 6999)).toBe(`retry: refund query, PROCESSING , may land ${limit} ms later`)
  // That call may still be under way: another one is needed after it.
  expect(await again(refund, 6999)).toBe(`retry: refund query, PROCESSING , may land ${limit} ms later`)
  expect(await again(refund, 7000)).toBe(`done: refund query, FAIL NOT_ENOUGH, may land ${limit} ms later`)
  // It has ended: nothing is asked.
  expect(await again(refund, 8000)).toBe('done: , FAIL NOT_ENOUGH')
  await expect(sendRefundAgain(test.world, { mchNo: test.demo.mchNo, refundNo: 'AR404' })).rejects.toThrow('no refund')
})

it('where the upstream shows a refund late, a refusal is final only by a query after that time', async () => {
  says.visibleAfterMs = 10_000
  Object.assign(says, { refund: REFUSED, query: { kind: 'absent' } })
  const refund = await ask()
  expect(await refundRow(refund)).toMatchObject({
    state: 'PROCESSING',
    refusal: 'NOT_ENOUGH',
    last_answer: 'refund: refused (NOT_ENOUGH)',
  })
  const limit = test.world.limits.channelCallMs
  expect(await again(refund, 9999)).toBe(`retry: refund query, PROCESSING NOT_ENOUGH, may land ${limit} ms later`)
  says.query = { kind: 'unknown', why: 'HTTP 502' }
  expect(await again(refund, 10_000)).toBe('retry: query, PROCESSING NOT_ENOUGH')
  expect((await refundRow(refund)).last_answer).toBe('refund: unknown (refused, then query: unknown (HTTP 502))')
  says.query = { kind: 'absent' }
  expect(await again(refund, 10_000)).toBe('done: query, FAIL NOT_ENOUGH')

  // It was made all the same.
  const other = await ask()
  says.query = { kind: 'done', amountFen: AMOUNT }
  expect(await again(other, 10_000)).toMatch(/^done: query, SUCCESS/)
  // Under way at the upstream: the job watches, and asks again.
  Object.assign(says, { refund: PROCESSING, query: { kind: 'processing' } })
  expect(await again(await ask(), 1)).toMatch(/^in_progress: refund query, PROCESSING/)
  says.query = { kind: 'processing', why: 'ABNORMAL' }
  expect(await again(await ask(), 1)).toMatch(/^retry: refund query, PROCESSING/)
})
