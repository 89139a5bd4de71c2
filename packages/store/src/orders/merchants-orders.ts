/** A merchant's orders as it lists them: the newest first, which is the order of the platform's numbers. */
import { fen, type OrderRef, type OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { columnsOfOrder, type Order, type OrderRow } from './orders.ts'

export type MerchantsOrder = Order & { createdAt: Date }

/** `from` and `before` are platform numbers or their prefixes: the list has orders from `from` on and before `before`. */
export type MerchantsOrderFilter = {
  ref: OrderRef | null
  appNo: string | null
  state: OrderState | null
  from: string
  before: string
}

/**
 * A list by state or app looks through so many rows at once, in the order of the primary key, and no more: an index for each way to ask
 * would cost every close a third more of the log that the database writes.
 */
export const ROWS_LOOKED_THROUGH = 10_000

/** Rows that were found; and where to look on, although fewer than `limit` were found: null at the list's end. */
export type Looked<Row> = { rows: Row[]; goOnBefore: string | null }

type Limits = { limit: number; lookThrough?: number }

/** At `now` an order past its expiry is not NOTPAY, also where no job has written it yet. */
export async function listMerchantsOrders(
  db: Db,
  mchNo: string,
  filter: MerchantsOrderFilter,
  { limit, now, lookThrough = ROWS_LOOKED_THROUGH }: Limits & { now: Date },
): Promise<Looked<MerchantsOrder>> {
  const { ref, appNo, state, from, before } = filter
  const values: unknown[] = [mchNo, from, before, limit]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const ofNumber = ref === null ? '' : ` and ${numberIn(ref, bind)}`
  const ofApp = appNo === null ? '' : ` and app_no = ${bind(appNo)}`
  const ofState = state === null ? '' : ` and state = ${bind(state)}`
  const notExpired = state === 'NOTPAY' ? ` and time_expire > ${bind(now)}` : ''
  // The number stands in the text, so that the plan is made for it.
  const name = [ref && Object.keys(ref)[0], appNo && 'app', state === 'NOTPAY' ? state : state && 'state', lookThrough]
  const found = await run<OrderRow & { createdAt: Date }>(
    db,
    ['listMerchantsOrders', ...name.filter((part) => part !== null)].join(' '),
    `select ${columnsOfOrder('o')}, created_at as "createdAt"
       from (select * from orders where mch_no = $1 and transaction_no >= $2 and transaction_no < $3${ofNumber}
              order by transaction_no desc limit ${lookThrough}) o
      where true${ofApp}${ofState}${notExpired} order by transaction_no desc limit $4`,
    values,
  )
  const rows = found.map((row) => ({ ...row, amountFen: fen(row.amountFen) }))
  if (found.length === limit || ref !== null) return { rows, goOnBefore: null }
  const [last] = await run<{ transactionNo: string }>(
    db,
    'lastOrderLookedAt',
    `select transaction_no as "transactionNo" from orders where mch_no = $1 and transaction_no >= $2 and transaction_no < $3
      order by transaction_no desc offset $4 limit 1`,
    [mchNo, from, before, lookThrough - 1],
  )
  return { rows, goOnBefore: last?.transactionNo ?? null }
}

const numberIn = (ref: OrderRef, bind: (value: string) => string): string =>
  'transactionNo' in ref ? `transaction_no = ${bind(ref.transactionNo)}` : `mch_trade_no = ${bind(ref.mchTradeNo)}`
