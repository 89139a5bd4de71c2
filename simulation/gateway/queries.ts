/** What a run reads from the database, and how it empties the tables first. */
import { addApp, addMerchant, type Db, putChannelAccount } from '@acopay/store'
import type pg from 'pg'
import { APP, MCH, START_MS } from './gateway.ts'
import type { News } from './merchant.ts'

const TABLES = [
  'notification_try',
  'notification',
  'job',
  'nonce',
  'refund',
  'reversal',
  'payment',
  'attempt',
  'timeline',
  'orders',
  'bill_part',
  'bill',
  'reconciliation_difference',
  'reconciliation',
  'stray_payment',
  'channel_account',
  'app',
  'merchant_key',
  'merchant',
]

export async function reset(connection: pg.Client): Promise<void> {
  // One statement: PostgreSQL checks the foreign keys only at its end.
  const all = TABLES.map((table) => `of_${table} as (delete from ${table})`).join(', ')
  await connection.query({ name: 'reset', text: `with ${all} select` })
  const now = new Date(START_MS)
  await addMerchant(connection as unknown as Db, { mchNo: MCH, name: 'simulated' }, now)
  await addApp(connection as unknown as Db, { mchNo: MCH, appNo: APP, name: 'simulated' }, now)
  for (const channel of ['wechat', 'alipay']) {
    await putChannelAccount(connection as unknown as Db, { mchNo: MCH, channel, settingsSealed: Buffer.alloc(1) }, now)
  }
}

/** The next work that becomes due, and when; null if none will. */
export async function nextDue(connection: pg.Client): Promise<{ atMs: number; what: 'jobs' | 'telling' } | null> {
  const { rows } = await connection.query<{ jobs: Date | null; telling: Date | null }>({
    name: 'nextDue',
    text: `select least((select min(due_at) from job),
                        (select min(time_expire) from orders where state = 'NOTPAY')) as jobs,
                  (select min(due_at) from notification where state = 'PENDING') as telling`,
  })
  const [jobs, telling] = [rows[0]?.jobs?.getTime() ?? null, rows[0]?.telling?.getTime() ?? null]
  if (jobs === null && telling === null) return null
  const isJobs = jobs !== null && (telling === null || jobs <= telling)
  return isJobs ? { atMs: jobs, what: 'jobs' } : { atMs: telling as number, what: 'telling' }
}

export async function promisesBroken(connection: pg.Client, toldClosed: string[]): Promise<string | null> {
  const { rows } = await connection.query<{ no: string }>({
    name: 'notClosed',
    text: `select transaction_no as no from orders where transaction_no = any($1) and state <> 'CLOSED'`,
    values: [toldClosed],
  })
  return rows[0] === undefined
    ? null
    : `I3: the merchant was told that ${rows[0].no.slice(-6)} is closed, and it is not`
}

export async function deliveredNotifications(connection: pg.Client): Promise<News[]> {
  const { rows } = await connection.query<{ news: string }>({
    name: 'delivered',
    text: `select news from notification where state = 'DELIVERED'`,
  })
  return rows.map(({ news }) => JSON.parse(news) as News)
}

/** The cells of the order's table that were used. */
export async function transitions(connection: pg.Client): Promise<string[]> {
  const { rows } = await connection.query<{ cell: string }>({
    name: 'transitions',
    text: `select (entry::json ->> 'event') || ' ' || coalesce(entry::json ->> 'from', '') || ' → ' || (entry::json ->> 'to')
             || coalesce(' ' || (entry::json ->> 'money'), '') as cell from timeline where seq > 1`,
  })
  return rows.map(({ cell }) => cell)
}
