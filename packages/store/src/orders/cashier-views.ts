/** Orders as the cashier page shows them to payers. One statement reads the orders of all open pages; on a cluster, those of one place. */
import type { CloseReason, OrderState } from '@acopay/core'
import { EACH_ALONE, type GroupOf, inGroups } from '../citus/groups.ts'
import { type Db, run } from '../db.ts'

export type OrderKey = { mchNo: string; transactionNo: string }

export type CashierView = OrderKey & {
  merchant: string
  description: string
  amountFen: bigint
  state: OrderState
  closeReason: CloseReason | null
  attempts: number
  timeExpire: Date
  successTime: Date | null
  /** Number of reversals, and how many of them are not done yet. */
  goingBack: number
  stillOnTheWay: number
}

/** Those of the orders that exist, in no particular order: one statement for each group of merchants. */
export async function readCashierViews(
  db: Db,
  keys: OrderKey[],
  groupOf: GroupOf = EACH_ALONE,
): Promise<CashierView[]> {
  const views: CashierView[] = []
  for (const own of inGroups(keys, groupOf)) views.push(...(await readViewsOf(db, own)))
  return views
}

const readViewsOf = (db: Db, keys: OrderKey[]): Promise<CashierView[]> =>
  run<CashierView>(
    db,
    'readCashierViews',
    `select o.mch_no as "mchNo", o.transaction_no as "transactionNo", m.name as merchant, o.description,
            o.amount_fen as "amountFen", o.state, o.close_reason as "closeReason", o.attempts,
            o.time_expire as "timeExpire", o.success_time as "successTime",
            back.total::integer as "goingBack", back.waiting::integer as "stillOnTheWay"
       from unnest($1::text[], $2::text[]) as asked (mch_no, transaction_no)
       join orders o on o.mch_no = asked.mch_no and o.transaction_no = asked.transaction_no and o.mch_no = any ($1)
       join merchant m on m.mch_no = o.mch_no and m.mch_no = any ($1)
       join lateral (
         select count(*) as total, count(*) filter (where r.state = 'PROCESSING') as waiting
           from reversal r where r.mch_no = o.mch_no and r.mch_no = any ($1) and r.transaction_no = o.transaction_no) back on true`,
    [keys.map(({ mchNo }) => mchNo), keys.map(({ transactionNo }) => transactionNo)],
  )

/** Of an order's app: the channels that it offers to payers (null: all), and what its payers see of the shop. */
export type CashierApp = {
  appNo: string
  channels: string[] | null
  returnUrl: string | null
  brandColor: string | null
  logoDigest: string | null
}

/** Null where there is no such order. */
export async function readCashierApp(db: Db, { mchNo, transactionNo }: OrderKey): Promise<CashierApp | null> {
  const rows = await run<CashierApp>(
    db,
    'readCashierApp',
    `select a.app_no as "appNo", a.channels, a.return_url as "returnUrl", a.brand_color as "brandColor",
            a.logo_digest as "logoDigest"
       from orders o join app a on a.mch_no = o.mch_no and a.app_no = o.app_no
      where o.mch_no = $1 and o.transaction_no = $2`,
    [mchNo, transactionNo],
  )
  return rows[0] ?? null
}

export type Receipt = {
  /** Of the payment that pays the order. */
  channel: string
  paidAt: Date
  /** Refunds that are done. */
  refundedFen: bigint
}

/** Null for an order that keeps no payment. */
export async function readReceipt(db: Db, { mchNo, transactionNo }: OrderKey): Promise<Receipt | null> {
  const rows = await run<Receipt>(
    db,
    'readReceipt',
    `select a.channel, p.paid_at as "paidAt",
            (select coalesce(sum(r.amount_fen), 0)::bigint from refund r
              where r.mch_no = p.mch_no and r.transaction_no = p.transaction_no and r.state = 'SUCCESS') as "refundedFen"
       from payment p join attempt a on a.mch_no = p.mch_no and a.attempt_no = p.attempt_no
      where p.mch_no = $1 and p.transaction_no = $2 and p.fate = 'keep'`,
    [mchNo, transactionNo],
  )
  return rows[0] ?? null
}
