/** The PostgreSQL store that the SDK's readme shows, as it is written there, and a merchant who uses it with a gateway. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { type NotificationStore, nodeHandler, notificationHandler } from '@acopay/sdk'
import type pg from 'pg'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { call, newTradeNo, openAttempt, pay, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const README = path.resolve(import.meta.dirname, '../packages/sdk/README.md')

type MakeStore = (pool: pg.Pool) => NotificationStore<pg.PoolClient>

async function storeOfTheReadme(): Promise<MakeStore> {
  const programs = readFileSync(README, 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)
  const program = Array.from(programs, ([, text]) => text ?? '').find((text) => text.includes('function postgresStore'))
  const compilerOptions = { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 }
  const { outputText } = transpileModule(`${program}\nexport { postgresStore }`, { compilerOptions })
  return (await import(`data:text/javascript,${encodeURIComponent(outputText)}`)).postgresStore
}

let test: TestWorld
let store: NotificationStore<pg.PoolClient>
beforeAll(async () => {
  test = await testWorld()
  store = (await storeOfTheReadme())(test.database.pool)
  await test.database.pool.query(
    'create table acopay_event (event_id text primary key, heard_at timestamptz not null default now())',
  )
  await test.database.pool.query('create table delivery (what text)')
})
afterAll(() => test.stop())
beforeEach(() => test.database.pool.query('truncate acopay_event, delivery'))

const deliver = async (db: pg.PoolClient, what: string) => {
  await db.query('insert into delivery values ($1)', [what])
}
const delivered = async () => (await test.database.pool.query('select what from delivery')).rows.map(({ what }) => what)

describe('the PostgreSQL store', () => {
  it('lets one of twenty at once do the work', async () => {
    const twenty = Array.from({ length: 20 }, (_, n) => store.once('a', (db) => deliver(db, String(n))))
    expect((await Promise.all(twenty)).filter(Boolean)).toHaveLength(1)
    expect(await delivered()).toHaveLength(1)
  })

  it('keeps nothing of work that failed, and lets the next who waited do it', async () => {
    let works = 0
    const twenty = Array.from({ length: 20 }, () =>
      store.once('a', async (db) => {
        works += 1
        const isBroken = works <= 3
        await deliver(db, String(works))
        if (isBroken) throw new Error('not now')
      }),
    )
    const ends = (await Promise.allSettled(twenty)).map((one) => (one.status === 'rejected' ? 'failed' : one.value))
    expect(ends.filter((end) => end === 'failed')).toHaveLength(3)
    expect(ends.filter((end) => end === true)).toHaveLength(1)
    expect(await delivered()).toEqual(['4'])
  })

  it('remembers nothing when the connection dies in the middle of the work', async () => {
    const dying = store.once('a', async (db) => {
      await deliver(db, 'half')
      await db.query('select pg_terminate_backend(pg_backend_pid())')
    })
    await expect(dying).rejects.toThrow()
    expect(await delivered()).toEqual([])
    expect(await store.once('a', (db) => deliver(db, 'whole'))).toBe(true)
    expect(await delivered()).toEqual(['whole'])
  })
})

it('a merchant with the store hears of a payment and its refund once, although each is told twice', async () => {
  const hear = notificationHandler({
    mchNo: test.demo.mchNo,
    platformPublicKey: test.demo.platformPublicKey,
    now: test.world.now,
    store,
    onPayment: ({ amountTotal }, db) => deliver(db, `paid ${amountTotal}`),
    onPaymentReturned: () => {},
    onRefund: ({ refundAmount, state }, db) => deliver(db, `refund ${refundAmount} ${state}`),
  })
  const statuses: number[] = []
  const server = createServer(
    nodeHandler(async (rawBody) => {
      const answer = await hear(rawBody)
      statuses.push(answer.status)
      // The first answer of each event is lost on its way, so that it is told again.
      return statuses.length % 2 === 1 ? { ...answer, status: 502 } : answer
    }),
  ).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const notify_url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/notify`
  const toldTwice = async () => {
    await test.runJobs()
    test.advance(15_000)
    await test.runJobs()
  }
  try {
    const transaction_no = await place(test.demo, { notify_url })
    await pay(test.demo, transaction_no, (await openAttempt(test.demo, transaction_no)) ?? '')
    await toldTwice()
    const refund = { transaction_no, refund_amount: '2.50', refund_reason: '退货', mch_refund_no: newTradeNo() }
    await call(test.demo, { method: 'POST', path: 'refund', params: { ...refund, notify_url } })
    await toldTwice()
    expect(statuses).toEqual([200, 200, 200, 200])
    expect(await delivered()).toEqual(['paid 12.50', 'refund 2.50 SUCCESS'])
  } finally {
    server.close()
    server.closeAllConnections()
  }
})
