/**
 * What a statement takes at most, by the plan that a gateway keeps which started with empty tables: there a subquery may be run again
 * for each row, and what it has locked already is out of the way of its limit.
 */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/support/database.ts'
import { after, NOW, seedMerchant, seedOrder } from '../../../test/support/orders.ts'
import { forgetCalls } from './calls/call-log.ts'
import { openPool, type Pool } from './db.ts'
import { insertLeasedJob, leaseJobs } from './jobs/jobs.ts'
import { forgetNonces } from './merchants/nonces.ts'
import { resendNotifications } from './notifications/notification-lists.ts'
import { giveUpNotifications, insertNotification, takeNotifications } from './notifications/notifications.ts'

/** By then PostgreSQL has settled for one plan of a named statement. */
const SETTLED = 8
const ROWS = 6
const LIMIT = 2
const LATER = after(60_000)

let database: TestDatabase
/** One connection, whose plans stay. */
let gateway: Pool
const mchNo = 'MCH1'
const names = Array.from({ length: ROWS }, (_, index) => `${index}`)
const orderOf = (name: string): string => `AP${name.padStart(36, '0')}`
const everyDead = { dead: { from: null, until: null } }

beforeAll(async () => {
  database = await testDatabase()
  gateway = openPool({ connectionString: database.connectionString, max: 1 })
  await seedMerchant(database.pool, mchNo)
  for (const name of names) await seedOrder(database.pool, { mchNo, transactionNo: orderOf(name), mchTradeNo: name })
  for (const table of ['job', 'nonce', 'notification', 'call_log']) await database.pool.query(`vacuum analyze ${table}`)
})
afterAll(async () => {
  await gateway.end()
  await database.drop()
})

afterEach(() => database.pool.query('delete from notification'))

async function notifications(state: string): Promise<void> {
  for (const name of names) {
    const more = { kind: 'payment', url: 'https://shop.example/', host: name, news: '{}' } as const
    await insertNotification(database.pool, { mchNo, transactionNo: orderOf(name), seq: 1, ...more }, NOW)
  }
  await database.pool.query('update notification set state = $1', [state])
}

async function jobs(): Promise<void> {
  for (const subject of names) {
    await insertLeasedJob(database.pool, { mchNo, kind: 'shut_attempts', subject }, NOW, NOW)
  }
}

const nonces = async (): Promise<void> => {
  const values = [mchNo, names, NOW]
  await database.pool.query('insert into nonce (mch_no, nonce, used_at) select $1, unnest($2::text[]), $3', values)
}

const calls = async (): Promise<void> => {
  await database.pool.query(
    `insert into call_log (mch_no, kind, at, request_id, call, address, status, message, ms, signature, left_out)
     select $1, 'done', $3, unnest($2::text[]), 'GET trade', '', 200, 'SUCCESS', 1, 'VERIFIED', 0`,
    [mchNo, names, NOW],
  )
}

it.each<[string, () => Promise<void>, () => Promise<number>]>([
  ['jobs are leased', jobs, async () => (await leaseJobs(gateway, { now: NOW, leaseUntil: LATER }, LIMIT)).length],
  ['nonces are forgotten', nonces, () => forgetNonces(gateway, LATER, LIMIT)],
  ['logged calls are forgotten', calls, () => forgetCalls(gateway, LATER, LIMIT)],
  [
    'notifications are taken',
    () => notifications('PENDING'),
    async () => (await takeNotifications(gateway, { perHost: 1, total: LIMIT, free: new Map() }, NOW, LATER)).length,
  ],
  [
    'notifications are given up',
    () => notifications('PENDING'),
    () => giveUpNotifications(gateway, { before: LATER, now: LATER }, LIMIT),
  ],
  [
    'dead letters are sent again',
    () => notifications('DEAD'),
    () => resendNotifications(gateway, mchNo, everyDead, { limit: LIMIT, now: NOW }),
  ],
])('as many %s as the limit says, and not one more, by a plan made when there was none', async (_, write, take) => {
  for (let time = 0; time < SETTLED; time += 1) expect(await take()).toBe(0)
  await write()
  expect(await take()).toBe(LIMIT)
})
