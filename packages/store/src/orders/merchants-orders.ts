/** A merchant's orders as it lists them: the newest first, which is the order of the platform's numbers. */
import { fen, ORDER_STATES, type OrderRef, type OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import { ORDER_COLUMNS, type Order, type OrderRow } from './orders.ts'

export type MerchantsOrder = Order & { createdAt: Date }

/** `from` and `before` are platform numbers or their prefixes: the list has orders from `from` on and before `before`. */
export type MerchantsOrderFilter = {
  ref: OrderRef | null
  appNo: string | null
  state: OrderState | null
  from: string
  before: string
}

/** At most `limit`. At `now` an order past its expiry is not NOTPAY, also where no job has written it yet. */
export async function listMerchantsOrders(
  db: Db,
  mchNo: string,
  filter: MerchantsOrderFilter,
  { limit, now }: { limit: number; now: Date },
): Promise<MerchantsOrder[]> {
  const { ref, appNo, state, from, before } = filter
  const values: unknown[] = [mchNo, from, before, limit]
  const bind = (value: unknown): string => `$${values.push(value)}`
  const range = 'mch_no = $1 and transaction_no >= $2 and transaction_no < $3'
  const ofNumber = ref === null ? '' : ` and ${numberIn(ref, bind)}`
  const ofApp = appNo === null ? '' : ` and app_no = ${bind(appNo)}`
  const ofState = state === null ? '' : ` and state = ${bind(state)}`
  const notExpired = state === 'NOTPAY' ? ` and time_expire > ${bind(now)}` : ''
  const all = `select * from orders where ${range}${ofNumber}${ofApp}${ofState}${notExpired}`
  // The index of an app goes on by state: of its orders in any state, the newest are among the newest of each state.
  const isOfApp = ref === null && appNo !== null && state === null
  const newest = isOfApp
    ? `unnest(${bind(ORDER_STATES)}::text[]) s (of) cross join lateral (
         ${all} and state = s.of order by transaction_no desc limit $4) o`
    : `(${all}) o`
  const name = [ref && Object.keys(ref)[0], appNo && 'app', state === 'NOTPAY' ? state : state && 'state']
  const rows = await run<OrderRow & { createdAt: Date }>(
    db,
    ['listMerchantsOrders', ...name.filter((part) => part !== null)].join(' '),
    `select ${ORDER_COLUMNS}, created_at as "createdAt" from ${newest} order by transaction_no desc limit $4`,
    values,
  )
  return rows.map((row) => ({ ...row, amountFen: fen(row.amountFen) }))
}

const numberIn = (ref: OrderRef, bind: (value: string) => string): string =>
  'transactionNo' in ref ? `transaction_no = ${bind(ref.transactionNo)}` : `mch_trade_no = ${bind(ref.mchTradeNo)}`
