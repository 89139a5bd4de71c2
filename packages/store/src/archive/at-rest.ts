/** Which orders of a month are at rest: they have ended, and nothing about them is under way or expected. */
import { type Db, run } from '../db.ts'

/** Why an order stays: what of it is not at rest. Null: all of it is. */
export type Unrest =
  | 'state'
  | 'recent'
  | 'attempt'
  | 'reversal'
  | 'refund'
  | 'refund_request'
  | 'notification'
  | 'job'
  | 'bill'

export type Rested = { transactionNo: string; unrest: Unrest | null }

/** `from` and `until`: what the month's numbers begin with, and those of the next. `changedBefore`: changed later is not at rest. */
export type Month = { from: string; until: string; changedBefore: Date }

/**
 * The merchant's next orders of the month, at most `limit`. Its orders all stay while a bill of it, or a comparison with its upstream's
 * bill, that was due before `changedBefore` has not been made: the rows would be missing in it.
 */
export const restOfOrders = (
  db: Db,
  { mchNo, after }: { mchNo: string; after: string },
  { from, until, changedBefore }: Month,
  limit: number,
): Promise<Rested[]> =>
  run<Rested>(
    db,
    'restOfOrders',
    `with busy as materialized (select kind, subject, created_at from job where mch_no = $1)
     select o.transaction_no as "transactionNo", case
         when o.state not in ('CLOSED', 'SUCCESS', 'REFUND') then 'state'
         when o.changed_at >= $5 then 'recent'
         when exists (select from attempt a where a.mch_no = $1 and a.transaction_no = o.transaction_no
                         and a.state in ('OPENING', 'OPEN')) then 'attempt'
         when exists (select from reversal r where r.mch_no = $1 and r.transaction_no = o.transaction_no
                         and r.state || '' = 'PROCESSING') then 'reversal'
         when exists (select from refund r where r.mch_no = $1 and r.transaction_no = o.transaction_no
                         and (r.state || '' = 'PROCESSING' or r.contested_at is not null)) then 'refund'
         when exists (select from refund_request q where q.mch_no = $1 and q.transaction_no = o.transaction_no) then 'refund_request'
         when exists (select from notification n where n.mch_no = $1 and n.transaction_no = o.transaction_no
                         and n.state || '' = 'PENDING') then 'notification'
         when o.transaction_no in (select subject from busy)
           or exists (select from attempt a where a.mch_no = $1 and a.transaction_no = o.transaction_no
                         and a.attempt_no in (select subject from busy))
           or exists (select from refund r where r.mch_no = $1 and r.transaction_no = o.transaction_no
                         and r.refund_no in (select subject from busy))
           or exists (select from reversal r where r.mch_no = $1 and r.transaction_no = o.transaction_no
                         and r.refund_no in (select subject from busy)) then 'job'
         when exists (select from busy b where b.kind in ('make_bill', 'reconcile_day') and b.created_at < $5) then 'bill'
       end as unrest
       from orders o where o.mch_no = $1 and o.transaction_no > $2 and o.transaction_no >= $3 and o.transaction_no < $4
      order by o.transaction_no limit $6`,
    [mchNo, after, from, until, changedBefore, limit],
  )

/** The merchants with orders of these numbers, in an order that stays. */
export async function merchantsWithOrders(db: Db, { from, until }: Pick<Month, 'from' | 'until'>): Promise<string[]> {
  const rows = await run<{ mchNo: string }>(
    db,
    'merchantsWithOrders',
    `select m.mch_no as "mchNo" from merchant m where exists (
       select from orders o where o.mch_no = m.mch_no and o.transaction_no >= $1 and o.transaction_no < $2) order by 1`,
    [from, until],
  )
  return rows.map(({ mchNo }) => mchNo)
}

/** How many orders the month has, and the sum of its hours that the page of figures has not counted yet. */
export async function countMonth(
  db: Db,
  { from, until }: Pick<Month, 'from' | 'until'>,
  hours: { begin: Date; end: Date },
): Promise<{ orders: bigint; uncounted: bigint }> {
  const [counted] = await run<{ orders: bigint; uncounted: bigint }>(
    db,
    'countMonth',
    `select (select count(*) from orders where transaction_no >= $1 and transaction_no < $2) as orders,
            (select count(*) from generate_series($3::timestamptz, $4::timestamptz - interval '1 hour', interval '1 hour') h (begins_at)
              where not exists (select from figure f where f.mch_no = '*' and f.span = 'hour' and f.begins_at = h.begins_at
                                   and f.channel = '' and f.method = '')) as uncounted`,
    [from, until, hours.begin, hours.end],
  )
  return counted ?? { orders: 0n, uncounted: 0n }
}
