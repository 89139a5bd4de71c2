/** Removes what is no part of the books and older than its retention: some rows at a time, and none that somebody holds. */
import { EACH_ALONE, inGroups, type Spread } from './citus/groups.ts'
import { runOver } from './citus/reach.ts'
import { ALL_MERCHANTS } from './console/order-hours.ts'
import { type Db, run } from './db.ts'

/** Whose rows are old enough; `$2` rows are looked at, where not every merchant is. */
const OLD = {
  notification_try: `select m.mch_no as "mchNo" from merchant m where exists (
      select from notification_try x join notification n using (mch_no, transaction_no, seq)
       where x.mch_no = m.mch_no and x.transaction_no < $1 and n.state <> 'PENDING'
         /* of those in reach: x.mch_no */ /* of those in reach: n.mch_no */)
      /* of those in reach: m.mch_no */ limit $2`,
  order_hour: `select m.mch_no as "mchNo" from merchant m where exists (
      select from order_hour x where x.mch_no = m.mch_no and x.hour_at < $1::timestamptz /* of those in reach: x.mch_no */)
      /* of those in reach: m.mch_no */ limit $2`,
  reconciliation: `select distinct "mchNo" from (
      select mch_no as "mchNo" from reconciliation where day < $1::date /* of those in reach: mch_no */ limit $2) r`,
  reconciliation_difference: `select distinct "mchNo" from (
      select mch_no as "mchNo" from reconciliation_difference
       where (not settled) = false and day < $1::date /* of those in reach: mch_no */ limit $2) d`,
} as const

/** Of the merchants `$3`, who are of one group. */
const FORGET = {
  // The number of an order begins with the time at which it was placed. What waits to be sent, and so is tried again, keeps its tries.
  notification_try: `with old as materialized (
      select x.mch_no, x.transaction_no, x.seq, x.taken
        from notification_try x join notification n using (mch_no, transaction_no, seq)
       where x.mch_no = any ($3) and n.mch_no = any ($3) and x.transaction_no < $1 and n.state <> 'PENDING'
       limit $2 for update of x skip locked)
     delete from notification_try t using old where t.mch_no = any ($3) and t.mch_no = old.mch_no and t.transaction_no = old.transaction_no
        and t.seq = old.seq and t.taken = old.taken returning 1`,
  order_hour: `with old as materialized (
      select x.mch_no, x.hour_at from order_hour x
       where x.mch_no = any ($3) and x.hour_at < $1::timestamptz limit $2 for update skip locked)
     delete from order_hour h using old where h.mch_no = any ($3) and h.mch_no = old.mch_no and h.hour_at = old.hour_at returning 1`,
  reconciliation: `with old as materialized (
      select r.mch_no, r.channel, r.day from reconciliation r
       where r.mch_no = any ($3) and r.day < $1::date limit $2 for update skip locked)
     delete from reconciliation r using old where r.mch_no = any ($3) and r.mch_no = old.mch_no and r.channel = old.channel and r.day = old.day
     returning 1`,
  // One that nobody has settled stays.
  reconciliation_difference: `with old as materialized (
      select d.mch_no, d.channel, d.day, d.kind, d.attempt_no, d.payment_no, d.refund_no from reconciliation_difference d
       where d.mch_no = any ($3) and (not d.settled) = false and d.day < $1::date limit $2 for update skip locked)
     delete from reconciliation_difference d using old where d.mch_no = any ($3) and d.mch_no = old.mch_no and d.channel = old.channel and d.day = old.day
        and d.kind = old.kind and d.attempt_no = old.attempt_no and d.payment_no = old.payment_no and d.refund_no = old.refund_no
     returning 1`,
} as const

export type Retained = keyof typeof FORGET

type Forgetting = Spread & { before: string | Date; limit: number }

/**
 * `before`: the beginning of an order's number, a moment, or a day. Whose rows are old is looked for without a lock; then they are removed
 * group by group. Returns how many rows were removed.
 */
export async function forgetRows(
  db: Db,
  of: Retained,
  { before, limit, groupOf = EACH_ALONE, reach = null }: Forgetting,
): Promise<number> {
  const found = await runOver<{ mchNo: string }>({ db, reach }, `withOldRows ${of}`, OLD[of], [before, limit])
  // The sums over all merchants have a number that no merchant has, so the list above never finds them.
  const whose = of === 'order_hour' && reach === null ? [...found, { mchNo: ALL_MERCHANTS }] : found
  let removed = 0
  for (const group of inGroups(whose, groupOf)) {
    if (removed === limit) break
    const mchNos = group.map(({ mchNo }) => mchNo)
    removed += (await run(db, `forgetRows ${of}`, FORGET[of], [before, limit - removed, mchNos])).length
  }
  return removed
}
