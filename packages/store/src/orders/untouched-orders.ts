/** The cheap close: closes orders of many callers, for which no attempt was ever opened, in one statement. */
import type { CloseReason, OrderRef, OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { ORDER_COLUMNS, type Order, type OrderRow, readOrder } from './orders.ts'

/**
 * One caller's request to close an order of this merchant. `mac`: the keyed hash of `entry` as the order's second entry, since an
 * order without attempts has only its first, under the number that the caller named.
 */
export type UntouchedAsk = { ref: OrderRef; nonce: string; entry: string; mac: Buffer }

/** The step that `decide` returned for an order in state `from` for which no attempt was ever opened. */
export type UntouchedMove = { from: OrderState; to: OrderState; closeReason: CloseReason | null }

export type UntouchedAnswer =
  | { kind: 'absent' }
  | { kind: 'nonce_used' }
  /** Changed by this call. The order's `headSeq` and `headHash` are still those from before. */
  | { kind: 'moved'; order: Order }
  /** The order had ended before this call, closed or paid. */
  | { kind: 'unchanged'; order: Order }
  /** The order needs the full close. Nothing was written, not even the nonce. */
  | { kind: 'involved' }

/**
 * Moves every requested order that is in `from`, has no attempt and is not past its expiry to `to`, with its timeline entry
 * and the caller's nonce. One statement for the whole list, so that many callers share one round trip and one commit. The
 * order's table has decided the move; this statement only compares and sets.
 *
 * The numbers are compared as arrays, so that the planner uses the key's index for each number. With a join, or a second
 * condition on the state, it may read all orders of the merchant instead. A second condition is not needed: `for update`
 * has read the newest version of the row.
 *
 * Orders that need the full close (`involved`) and their nonces are left as they are. Rows are locked in the order of their
 * keys, so that two lists do not deadlock.
 */
export async function moveUntouched(
  db: Db,
  { mchNo, move, asks, now }: { mchNo: string; move: UntouchedMove; asks: UntouchedAsk[]; now: Date },
): Promise<UntouchedAnswer[]> {
  const rows = await run<OrderRow & { i: number; isFresh: boolean; isMoved: boolean; isInvolved: boolean }>(
    db,
    'moveUntouched',
    `with asked as (
       select i, nonce, entry, mac,
              coalesce(by_platform,
                (select o.transaction_no from orders o where o.mch_no = $1 and o.mch_trade_no = by_merchant)) as number
         from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $11::bytea[])
              as t (i, nonce, entry, by_platform, by_merchant, mac)),
     locked as (
       select o.*, o.state = $7 and o.attempts = 0 and o.time_expire > $10 as is_untouched
         from orders o where o.mch_no = $1 and o.transaction_no = any (array(select number from asked))
        order by o.transaction_no for update),
     seen as (
       select a.i, a.nonce, a.entry, a.mac, a.number, l.is_untouched,
              not l.is_untouched and l.state in ('NOTPAY', 'CLOSING') as is_involved
         from asked a left join locked l on l.transaction_no = a.number),
     -- If a list repeats a nonce, its first use wins.
     first_use as (
       select distinct on (nonce) i, nonce from seen where is_involved is not true order by nonce, i),
     fresh as (
       insert into nonce (mch_no, nonce, used_at) select $1, nonce, $10 from first_use order by nonce
       on conflict do nothing returning nonce),
     used as (select u.i from first_use u join fresh f on f.nonce = u.nonce),
     -- If a list repeats an order, the first caller closes it and the others find it closed.
     winner as (
       select distinct on (s.number) s.number, s.entry, s.mac from seen s join used on used.i = s.i
        where s.is_untouched order by s.number, s.i),
     moved as (
       update orders o set state = $8, close_reason = $9, head_seq = o.head_seq + 1, changed_at = $10,
              closed_at = case when $8 = 'CLOSED' then $10::timestamptz end,
              head_hash = sha256(o.head_hash || convert_to(w.entry, 'UTF8'))
         from winner w
        where o.mch_no = $1 and o.transaction_no = any (array(select number from winner)) and o.transaction_no = w.number
       returning o.transaction_no, o.head_seq, o.head_hash, w.entry, w.mac),
     told as (
       insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
       select $1, transaction_no, head_seq, (entry::json ->> 'at')::timestamptz, entry, head_hash, mac from moved)
     select s.i, s.is_involved is true as "isInvolved", exists (select from used where used.i = s.i) as "isFresh",
            exists (select from moved m where m.transaction_no = s.number) as "isMoved", ${ORDER_COLUMNS}
       from seen s left join locked l on l.transaction_no = s.number order by s.i`,
    [
      mchNo,
      asks.map((_, index) => index),
      asks.map((ask) => ask.nonce),
      asks.map((ask) => ask.entry),
      asks.map((ask) => ('transactionNo' in ask.ref ? ask.ref.transactionNo : null)),
      asks.map((ask) => ('mchTradeNo' in ask.ref ? ask.ref.mchTradeNo : null)),
      move.from,
      move.to,
      move.closeReason,
      now,
      asks.map((ask) => ask.mac),
    ],
  )
  return rows.map((row): UntouchedAnswer => {
    if (row.isInvolved) return { kind: 'involved' }
    if (!row.isFresh) return { kind: 'nonce_used' }
    const order = row.transactionNo === null ? null : readOrder(row)
    if (order === null) return { kind: 'absent' }
    if (!row.isMoved) return { kind: 'unchanged', order }
    return { kind: 'moved', order: { ...order, state: move.to, closeReason: move.closeReason } }
  })
}
