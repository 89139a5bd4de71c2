/** Removes what is no part of the books and older than its retention: some rows at a time, and none that somebody holds. */
import { ALL_MERCHANTS } from './console/order-hours.ts'
import { type Db, run } from './db.ts'

const FORGET = {
  // The number of an order begins with the time at which it was placed. What waits to be sent, and so is tried again, keeps its tries.
  notification_try: `with old as materialized (
      select t.mch_no, t.transaction_no, t.seq, t.taken from merchant m cross join lateral (
        select x.mch_no, x.transaction_no, x.seq, x.taken
          from notification_try x join notification n using (mch_no, transaction_no, seq)
         where x.mch_no = m.mch_no and x.transaction_no < $1 and n.state <> 'PENDING' limit $2 for update of x skip locked) t
       limit $2)
     delete from notification_try t using old where t.mch_no = old.mch_no and t.transaction_no = old.transaction_no
        and t.seq = old.seq and t.taken = old.taken returning 1`,
  order_hour: `with old as materialized (
      select h.mch_no, h.hour_at from (select mch_no from merchant union all select '${ALL_MERCHANTS}') m cross join lateral (
        select x.mch_no, x.hour_at from order_hour x
         where x.mch_no = m.mch_no and x.hour_at < $1::timestamptz limit $2 for update skip locked) h limit $2)
     delete from order_hour h using old where h.mch_no = old.mch_no and h.hour_at = old.hour_at returning 1`,
  reconciliation: `with old as materialized (
      select r.mch_no, r.channel, r.day from reconciliation r where r.day < $1::date limit $2 for update skip locked)
     delete from reconciliation r using old where r.mch_no = old.mch_no and r.channel = old.channel and r.day = old.day
     returning 1`,
  // One that nobody has settled stays.
  reconciliation_difference: `with old as materialized (
      select d.mch_no, d.channel, d.day, d.kind, d.attempt_no, d.payment_no, d.refund_no from reconciliation_difference d
       where (not d.settled) = false and d.day < $1::date limit $2 for update skip locked)
     delete from reconciliation_difference d using old where d.mch_no = old.mch_no and d.channel = old.channel and d.day = old.day
        and d.kind = old.kind and d.attempt_no = old.attempt_no and d.payment_no = old.payment_no and d.refund_no = old.refund_no
     returning 1`,
} as const

export type Retained = keyof typeof FORGET

/** `before`: the beginning of an order's number, a moment, or a day. Returns how many rows were removed. */
export const forgetRows = async (
  db: Db,
  of: Retained,
  { before, limit }: { before: string | Date; limit: number },
): Promise<number> => (await run(db, `forgetRows ${of}`, FORGET[of], [before, limit])).length
