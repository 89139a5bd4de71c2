/** What counts as wrong: rows written by hand, each beside others that differ in one thing and are fine. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, NOW, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { alarmConditions } from './alarm-conditions.ts'

const LONG_AGO = after(-3_600_000)
/** Stuck since before NOW, failing since before NOW. */
const BEFORE = { stuckSince: NOW, failingSince: NOW }

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await sql(
    `insert into channel_account (mch_no, channel, settings_sealed, created_at, changed_at) values ($1, 'wechat', '', $2, $2)`,
  )
})
beforeEach(() =>
  database.pool.query(
    `truncate job, notification, stray_payment, reconciliation_difference, alarm_channel, timeline, orders cascade;
     update channel_account set complaint = null`,
  ),
)
afterAll(() => database.drop())

/** `$1` the merchant, `$2` long ago, `$3` NOW; more from `$4` on. */
const sql = (text: string, ...more: unknown[]) =>
  database.pool.query(`with given as (select $1::text, $2::timestamptz, $3::timestamptz) ${text}`, [
    MCH,
    LONG_AGO,
    NOW,
    ...more,
  ])

const found = async () =>
  (await alarmConditions(database.pool, BEFORE)).map(({ kind, subject, found: count }) => `${kind} ${subject} ${count}`)

async function order(set: string): Promise<string> {
  const { transactionNo } = await seedOrder(database.pool)
  await sql('update orders set time_expire = $2, changed_at = $2 where transaction_no = $4', transactionNo)
  await sql(`update orders set ${set} where transaction_no = $4`, transactionNo)
  return transactionNo
}

it('an order that is closing, or lapsed and not expired, for long: no other state, and not a moment too early', async () => {
  await order(`state = 'SUCCESS', success_time = $2`)
  await order(`state = 'CLOSED', close_reason = 'MERCHANT', closed_at = $2`)
  await order(`state = 'CLOSING', close_reason = 'MERCHANT', changed_at = $3`)
  await order('time_expire = $3')
  expect(await found()).toEqual([])
  await order(`state = 'CLOSING', close_reason = 'MERCHANT'`)
  expect(await found()).toEqual(['stuck closing 1'])
  await order(`state = 'NOTPAY'`)
  expect(await found()).toEqual(['stuck closing 1', 'stuck expired 1'])
})

it('a job that was tried three times and is said to be late, unless it only watches', async () => {
  const job = (subject: string, kind: string, tries: number, alarmedAt: Date | null) =>
    sql(
      `insert into job (mch_no, kind, subject, due_at, tries, created_at, alarmed_at) values ($1, $4, $5, $2, $6, $2, $7)`,
      kind,
      subject,
      tries,
      alarmedAt,
    )
  await job('few', 'shut_attempts', 2, NOW)
  await job('not late', 'shut_attempts', 9, null)
  await job('watches', 'watch_attempt', 9, NOW)
  expect(await found()).toEqual([])
  await job('late', 'shut_attempts', 3, NOW)
  expect(await found()).toEqual(['stuck jobs 1'])
})

it('a notification that waits for long, and each that was given up', async () => {
  const notification = async (state: string, since: Date) => {
    const { transactionNo } = await seedOrder(database.pool)
    await sql(
      `insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
       values ($1, $4, 1, 'payment', 'https://h', 'h', '{}', $5, $2, $6, $2)`,
      transactionNo,
      state,
      since,
    )
  }
  await notification('DELIVERED', LONG_AGO)
  await notification('PENDING', NOW)
  expect((await found()).filter((one) => !one.startsWith('stuck'))).toEqual([])
  await notification('PENDING', LONG_AGO)
  await notification('DEAD', NOW)
  expect((await found()).filter((one) => !one.startsWith('stuck'))).toEqual([
    'late-notifications  1',
    'dead-letters  1',
  ])
})

it('a payment that fits no order, and a difference of the books, until they are settled', async () => {
  const stray = (paymentNo: string, settledAt: Date | null) =>
    sql(
      `insert into stray_payment (mch_no, channel, attempt_no, payment_no, amount_fen, currency, paid_at, heard_at, settled_at)
       values ($1, 'wechat', 'A', $4, 1, 'CNY', $2, $2, $5)`,
      paymentNo,
      settledAt,
    )
  const difference = (paymentNo: string, isSettled: boolean) =>
    sql(
      `insert into reconciliation_difference (mch_no, channel, day, kind, attempt_no, payment_no, refund_no, settled, found_at)
       values ($1, 'wechat', '2026-01-30', 'PAYMENT_UNKNOWN', 'A', $4, '', $5, $2)`,
      paymentNo,
      isSettled,
    )
  await stray('settled', NOW)
  await difference('settled', true)
  expect(await found()).toEqual([])
  await stray('open', null)
  await difference('open', false)
  expect(await found()).toEqual(['unmatched-payments  1', 'differences  1'])
})

it('an upstream that refuses an account, and an alarm channel in use that has failed for a while', async () => {
  const channel = (channelId: string, isEnabled: boolean, failingFrom: Date | null) =>
    sql(
      `insert into alarm_channel (channel_id, kind, name, settings_sealed, enabled, created_at, changed_at, told_through, due_at,
         tries, hour_at, hour_sent, failing_from) values ($4, 'webhook', $4, '', $5, $2, $2, 0, $2, 4, $2, 0, $6)`,
      channelId,
      isEnabled,
      failingFrom,
    )
  await channel('off', false, LONG_AGO)
  await channel('fine', true, null)
  await channel('fails since now', true, NOW)
  expect(await found()).toEqual([])
  await channel('fails', true, LONG_AGO)
  await sql(`update channel_account set complaint = 'NO_AUTH' where mch_no = $1`)
  expect(await found()).toEqual([`upstream-refuses ${MCH}/wechat 1`, 'alarm-channel-failing fails 4'])
})
