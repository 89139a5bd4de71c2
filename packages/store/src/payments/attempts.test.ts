import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, entryAt, MCH, NOW, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { insertLeasedJob } from '../jobs/jobs.ts'
import { putChannelAccount } from '../merchants/channel-accounts.ts'
import { moveOrder, type Order } from '../orders/orders.ts'
import { attemptsToClose, moveAttempt, shutAttempts } from './attempts.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())

/** An order with so many attempts. */
async function tried(count: number, mchNo = MCH) {
  let order = await seedOrder(database.pool, { mchNo })
  const attemptNos: string[] = []
  for (let nth = 0; nth < count; nth += 1) {
    const seeded = await seedAttempt(database.pool, order)
    order = seeded.order
    attemptNos.push(seeded.attempt.attemptNo)
  }
  return { order, attemptNos }
}

const shut = ({ mchNo, transactionNo }: Order, attemptNos: string[], answers: { no: string; text: string }[] = []) =>
  shutAttempts(database.pool, { mchNo, transactionNo, attemptNos, answers, watchAt: after(5000), now: after(7) })

const rowsOf = async ({ transactionNo }: Order): Promise<unknown[]> =>
  (
    await database.pool.query(
      `select state, last_answer as says, last_answer_at as said, changed_at as changed from attempt
        where transaction_no = $1 order by attempt_no`,
      [transactionNo],
    )
  ).rows
const jobsOf = async (subject: string): Promise<unknown[]> =>
  (await database.pool.query('select kind, due_at, tries, created_at from job where subject = $1', [subject])).rows

it('attempts are read with the sealed settings of their own account, which may be none', async () => {
  const { order } = await tried(2)
  const { order: other } = await tried(1, 'MCH2')
  const account = { mchNo: MCH, channel: 'sandbox', settingsSealed: Buffer.from('sealed') }
  await putChannelAccount(database.pool, account, NOW)
  await putChannelAccount(database.pool, { ...account, channel: 'another', settingsSealed: Buffer.from('x') }, NOW)
  const read = async ({ mchNo, transactionNo }: Order) => attemptsToClose(database.pool, mchNo, transactionNo)
  expect((await read(order)).map(({ account: sealed }) => sealed?.toString())).toEqual(['sealed', 'sealed'])
  expect(await read(other)).toMatchObject([{ mchNo: 'MCH2', amountFen: 1250n, account: null }])
})

it('those that are proven closed are written down so, each with its watch; the others stay, and all states are answered', async () => {
  const { order, attemptNos } = await tried(3)
  const { order: other, attemptNos: others } = await tried(1)
  const [first = '', second = '', third = ''] = attemptNos
  await moveAttempt(
    database.pool,
    { mchNo: MCH, attemptNo: third, state: 'OPENING' } as Parameters<typeof moveAttempt>[1],
    { event: 'paid', payUrl: null, now: after(1) },
  )
  // Neither a paid attempt nor another order's is closed, even when it is named.
  expect(await shut(order, [first, third, others[0] ?? ''])).toEqual(['SHUT', 'OPENING', 'PAID'])
  expect(await rowsOf(order)).toMatchObject([
    { state: 'SHUT', changed: after(7) },
    { state: 'OPENING', changed: NOW },
    { state: 'PAID', changed: after(1) },
  ])
  expect(await rowsOf(other)).toMatchObject([{ state: 'OPENING', changed: NOW }])
  expect(await jobsOf(first)).toEqual([{ kind: 'watch_attempt', due_at: after(5000), tries: 1, created_at: after(7) }])
  for (const no of [second, third]) expect(await jobsOf(no)).toEqual([])
  // Said again, nothing changes: not even the watch, which may be later by now.
  await database.pool.query('update job set due_at = $2 where subject = $1', [first, after(9000)])
  expect(await shut(order, [first])).toEqual(['SHUT', 'OPENING', 'PAID'])
  expect(await jobsOf(first)).toMatchObject([{ due_at: after(9000) }])
})

it('what upstreams said is kept with the attempts, the last word of each, whether they are closed or not', async () => {
  const { order, attemptNos } = await tried(2)
  const [first = '', second = ''] = attemptNos
  const said = [
    { no: first, text: 'query: open' },
    { no: first, text: 'query: closed' },
    { no: second, text: 'x'.repeat(400) },
  ]
  expect(await shut(order, [first], said)).toEqual(['SHUT', 'OPENING'])
  expect(await rowsOf(order)).toEqual([
    { state: 'SHUT', says: 'query: closed', said: after(7), changed: after(7) },
    { state: 'OPENING', says: 'x'.repeat(300), said: after(7), changed: NOW },
  ])
  expect(await shut(order, [second])).toEqual(['SHUT', 'SHUT'])
  expect(await rowsOf(order)).toMatchObject([{ says: 'query: closed' }, { says: 'x'.repeat(300), said: after(7) }])
})

it('a step of an order writes its job, leaves one that there is, and removes it when told so', async () => {
  const { order } = await tried(1)
  const move = (of: Order, to: 'CLOSING' | 'CLOSED', job: Parameters<typeof moveOrder>[2]['job']) =>
    moveOrder(database.pool, of, {
      to,
      closeReason: 'MERCHANT',
      attempts: 1,
      paid: null,
      entry: entryAt(after(of.headSeq), to),
      mac: Buffer.alloc(32),
      now: after(of.headSeq),
      ...(job === undefined ? {} : { job }),
    })
  const jobs = () => jobsOf(order.transactionNo)
  const kind = 'shut_attempts'
  const closing = await move(order, 'CLOSING', { kind, dueAt: after(15_000) })
  const written = [{ kind, due_at: after(15_000), tries: 1, created_at: after(2) }]
  expect(await jobs()).toEqual(written)
  // Another order's, and another kind of this one's.
  await insertLeasedJob(database.pool, { mchNo: MCH, kind: 'send_refund', subject: order.transactionNo }, NOW, NOW)
  await insertLeasedJob(database.pool, { mchNo: 'MCH2', kind, subject: order.transactionNo }, NOW, NOW)
  const again = await move(closing, 'CLOSING', { kind, dueAt: after(99) })
  expect(await jobs()).toEqual(expect.arrayContaining(written))
  const left = await move(await move(again, 'CLOSING', null), 'CLOSING', undefined)
  expect(await jobs()).toHaveLength(3)
  await move(left, 'CLOSED', { kind, dueAt: null })
  const { rows } = await database.pool.query('select mch_no, kind from job where subject = $1 order by mch_no', [
    order.transactionNo,
  ])
  expect(rows).toEqual([
    { mch_no: MCH, kind: 'send_refund' },
    { mch_no: 'MCH2', kind },
  ])
})
