/** The invariants of spec/order-lifecycle.md, checked at rest in the database and in the upstreams' own books. */
import { brokenAt, type Pool, readTimeline } from '@acopay/store'
import { expect } from 'vitest'

type Books = { taken: number; returned: number }

/** What the upstreams' own books say, by attempt. */
export type Taken = { no: string; takenFen: number; returnedFen: number }

export async function expectInvariants(pool: Pool, mchNo: string, upstreams: Taken[]): Promise<void> {
  const none = async (says: string, sql: string): Promise<void> => {
    expect((await pool.query(sql)).rows, says).toEqual([])
  }
  await none(
    'I1 an order keeps at most one payment, of its own amount',
    `select o.transaction_no from orders o join payment p using (mch_no, transaction_no) where p.fate = 'keep'
      group by o.mch_no, o.transaction_no, o.amount_fen having count(*) > 1 or max(p.amount_fen) <> o.amount_fen`,
  )
  await none(
    'I2 a closed order keeps nothing, and a paid one something',
    `select transaction_no, state from orders o where (state in ('SUCCESS', 'REFUND')) <>
      exists (select from payment p where p.mch_no = o.mch_no and p.transaction_no = o.transaction_no and fate = 'keep')`,
  )
  await none(
    'I2 each payment that is not kept has a reversal of its amount',
    `select p.payment_no from payment p left join reversal r using (mch_no, attempt_no, payment_no)
      where p.fate = 'reverse' and r.amount_fen is distinct from p.amount_fen`,
  )
  await none(
    'I8 nothing is under way',
    `select state from orders where state = 'CLOSING' union all select state from attempt where state = 'OPENING'
      union all select state from reversal where state = 'PROCESSING'
      union all select state from refund where state = 'PROCESSING'`,
  )
  await none(
    'I4 refunds are of a kept payment, at most 20, and not more than it',
    `select p.transaction_no from refund r join payment p using (mch_no, attempt_no, payment_no) where r.state <> 'FAIL'
      group by p.mch_no, p.transaction_no, p.amount_fen, p.fate
     having count(*) > 20 or sum(r.amount_fen) > p.amount_fen or p.fate <> 'keep'`,
  )
  await none(
    'I5 one notification of each change that the merchant must hear of, delivered or in the dead letters',
    `with told as (select mch_no, transaction_no, kind, news::json ->> 'refund_no' as refund_no,
                          news::json ->> 'code' as code, state from notification),
     must as (
       select mch_no, transaction_no, 'payment' as kind, null as refund_no, 'SUCCESS' as code from orders
        where notify_url is not null and success_time is not null
       union all
       select mch_no, transaction_no, 'refund', refund_no, state from refund
        where notify_url is not null and state <> 'PROCESSING'
       union all
       select mch_no, transaction_no, 'refund', refund_no, 'FAIL' from refund
        where notify_url is not null and corrected_at is not null
       union all
       select r.mch_no, r.transaction_no, 'payment', null, 'REFUND' from reversal r
         join payment p using (mch_no, attempt_no, payment_no) join orders o on o.mch_no = r.mch_no
          and o.transaction_no = r.transaction_no where p.fate = 'keep' and o.notify_url is not null),
     counted as (
       select mch_no, transaction_no, kind, refund_no, code, sum(must) as must, sum(told) as told, bool_or(waits) as waits
         from (select *, 1 as must, 0 as told, false as waits from must
               union all
               select mch_no, transaction_no, kind, refund_no, code, 0, 1, state = 'PENDING' from told) both_sides
        group by 1, 2, 3, 4, 5)
     select * from counted where must <> 1 or told <> 1 or waits`,
  )
  const { rows: orders } = await pool.query<{ no: string; headSeq: number; headHash: Buffer; state: string }>(
    'select transaction_no as no, head_seq as "headSeq", head_hash as "headHash", state from orders',
  )
  for (const { no, state, ...head } of orders) {
    const entries = await readTimeline(pool, mchNo, no)
    expect(brokenAt(entries, mchNo, no, head), 'I7 the chain holds').toBeNull()
    expect(JSON.parse(entries.at(-1)?.entry ?? '{}'), 'I7 it ends with the state of the order').toMatchObject({
      to: state,
    })
  }
  const theirs = new Map<string, Books>()
  for (const { no, takenFen, returnedFen } of upstreams) {
    if (takenFen > 0) theirs.set(no, { taken: takenFen, returned: returnedFen })
  }
  const { rows: booked } = await pool.query<{ no: string; taken: string; returned: string }>(
    `select p.attempt_no as no, sum(p.amount_fen) as taken, coalesce(sum(r.fen), 0) as returned
       from payment p left join lateral (
         select sum(amount_fen) as fen from (
           select amount_fen from reversal v
            where v.mch_no = p.mch_no and v.attempt_no = p.attempt_no and v.payment_no = p.payment_no
           union all select amount_fen from refund f
            where f.mch_no = p.mch_no and f.attempt_no = p.attempt_no and f.payment_no = p.payment_no
              and f.state = 'SUCCESS') back) r on true
      group by p.mch_no, p.attempt_no`,
  )
  const ours = new Map(
    booked.map(({ no, taken, returned }) => [no, { taken: Number(taken), returned: Number(returned) }]),
  )
  expect(ours, 'I6 what the upstreams took and sent back is in the books, to the fen').toEqual(theirs)
}
