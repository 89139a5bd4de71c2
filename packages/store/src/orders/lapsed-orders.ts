/** Orders past their expiry. They are found without a lock; those for which no attempt was ever opened are expired in whole lists. */
import type { CloseReason, OrderState } from '@acopay/core'
import { whereOf } from '../citus/groups.ts'
import { type Reach, runOver } from '../citus/reach.ts'
import { type Db, retried, run } from '../db.ts'

export type LapsedOrder = { mchNo: string; transactionNo: string; attempts: number }

/** At most `limit` NOTPAY orders whose expiry is `due` or earlier, the oldest first. */
export const lapsedOrders = (db: Db, due: Date, limit: number, reach?: Reach): Promise<LapsedOrder[]> =>
  runOver(
    { db, reach },
    'lapsedOrders',
    `select mch_no as "mchNo", transaction_no as "transactionNo", attempts from orders
      where state = 'NOTPAY' and time_expire <= $1 /* of those in reach: mch_no */ order by time_expire limit $2`,
    [due, limit],
  )

/**
 * The same of every merchant alike: the oldest of each come first. It looks at every merchant, so it is for when more have lapsed than
 * `lapsedOrders` has returned. May return fewer than `limit` although there are more.
 */
export async function lapsedOrdersOfEach(db: Db, due: Date, limit: number, reach?: Reach): Promise<LapsedOrder[]> {
  const merchants = await runOver<{ mchNo: string }>(
    { db, reach },
    'merchantsWithLapsed',
    `select m.mch_no as "mchNo" from merchant m cross join lateral (
       select o.time_expire from orders o where o.mch_no = m.mch_no and o.state = 'NOTPAY' and o.time_expire <= $1
          /* of those in reach: o.mch_no */
        order by o.mch_no, o.time_expire limit 1) oldest where true /* of those in reach: m.mch_no */`,
    [due],
  )
  if (merchants.length === 0) return []
  return runOver(
    { db, reach },
    'lapsedOrdersOfEach',
    `select m.mch_no as "mchNo", o.transaction_no as "transactionNo", o.attempts
       from merchant m cross join lateral (
         select o.transaction_no, o.attempts, o.time_expire, row_number() over (partition by o.mch_no order by o.time_expire) as place
           from (select * from orders o where o.mch_no = m.mch_no and o.state = 'NOTPAY' and o.time_expire <= $1
                    /* of those in reach: o.mch_no */
                  order by o.mch_no, o.time_expire limit $3) o) o
      where m.mch_no = any ($4) order by o.place, o.time_expire limit $2`,
    [due, limit, Math.max(1, Math.floor(limit / merchants.length)), merchants.map(({ mchNo }) => mchNo)],
  )
}

/** `mac`: the keyed hash of the entry as the order's second one, since an order without attempts has only its first. */
export type Expiring = { mchNo: string; transactionNo: string; mac: Buffer }

/** The step that `decide` returned for a lapsed order in state `from` for which no attempt was ever opened, and its timeline entry. */
export type Expiry = { from: OrderState; to: OrderState; closeReason: CloseReason | null; entry: string }

/** `held`: another transaction has locked the order. `changed`: it is not as it was read any more. Nothing was written for either. */
export type Expired = 'moved' | 'held' | 'changed'

/**
 * Moves every order of the list that is in `from`, has no attempt, has lapsed by `due` and is not locked to `to`, with its timeline
 * entry, which begins with `now`. One call for the whole list, whose members may belong to any merchants of one group; it claims them in
 * the transaction in which it writes, so that several processes never wait for each other. Answers in the order of the list.
 */
export async function expireUntouched(
  db: Db,
  { expiry, orders, due, now }: { expiry: Expiry; orders: Expiring[]; due: Date; now: Date },
): Promise<Expired[]> {
  const rows = await retried(() =>
    run<{ what: Expired }>(
      db,
      'expireUntouched',
      'select what from expire_untouched($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) order by place',
      [
        whereOf(orders),
        expiry.from,
        expiry.to,
        expiry.closeReason,
        due,
        now,
        expiry.entry,
        orders.map(({ mchNo }) => mchNo),
        orders.map(({ transactionNo }) => transactionNo),
        orders.map(({ mac }) => mac),
      ],
    ),
  )
  return rows.map(({ what }) => what)
}
