/** The cheap close: closes orders of many callers, for which no attempt was ever opened, in one statement. */
import type { CloseReason, OrderRef, OrderState } from '@acopay/core'
import { whereOf } from '../citus/groups.ts'
import { type Db, retried, run } from '../db.ts'
import { columnsOfOrder, type Order, type OrderRow, readOrder } from './orders.ts'

/**
 * One caller's request to close an order of this merchant. `mac`: the keyed hash of `entry` as the order's second entry, since an
 * order without attempts has only its first, under the number that the caller named.
 */
export type UntouchedAsk = { mchNo: string; ref: OrderRef; nonce: string; entry: string; mac: Buffer }

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
 * Moves every requested order that is in `from`, has no attempt, is not past its expiry and locked by nobody to `to`, with its
 * timeline entry and the caller's nonce. One call for the whole list, whose members may belong to any merchants of one group, so
 * that many callers share one round trip and one commit. The order's table has decided the move; `move_untouched`
 * (migrations/0029-move-untouched.sql) only compares and sets.
 *
 * If a list repeats an order, one of its callers closes it and the others find it closed; if a merchant repeats a nonce, its first use
 * wins. Orders that need the full close (`involved`) and their nonces are left as they are.
 */
export async function moveUntouched(
  db: Db,
  { move, asks, now }: { move: UntouchedMove; asks: UntouchedAsk[]; now: Date },
): Promise<UntouchedAnswer[]> {
  const rows = await retried(() =>
    run<OrderRow & { what: UntouchedAnswer['kind'] }>(
      db,
      'moveUntouched',
      `select what, ${columnsOfOrder('(was)')} from move_untouched($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) order by place`,
      [
        whereOf(asks),
        move.from,
        move.to,
        move.closeReason,
        now,
        asks.map((ask) => ask.mchNo),
        asks.map((ask) => ask.nonce),
        asks.map((ask) => ask.entry),
        asks.map((ask) => ask.mac),
        asks.map((ask) => ('transactionNo' in ask.ref ? ask.ref.transactionNo : null)),
        asks.map((ask) => ('mchTradeNo' in ask.ref ? ask.ref.mchTradeNo : null)),
      ],
    ),
  )
  return rows.map((row): UntouchedAnswer => {
    const { what, ...order } = row
    switch (what) {
      case 'moved':
        return { kind: what, order: { ...orderOf(order), state: move.to, closeReason: move.closeReason } }
      case 'unchanged':
        return { kind: what, order: orderOf(order) }
      default:
        return { kind: what }
    }
  })
}

function orderOf(row: OrderRow): Order {
  const order = readOrder(row)
  if (order === null) throw new Error('move_untouched returned no order')
  return order
}
