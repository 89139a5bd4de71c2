/** What the search box of the console's header finds beyond whole numbers: their beginnings, their ends, and amounts. */
import { type Db, run } from '../db.ts'
import { COLUMNS, type ListedOrder } from './order-lists.ts'

/**
 * The last of all texts that begin so, where texts consist of letters, digits, `_` and `-`: in any collation, no other text with this
 * beginning comes after it.
 */
const lastOf = (begin: string): string => begin + 'z'.repeat(50)

/**
 * Orders whose own number, or whose merchant's number, begins so: the newest by the platform's number, and the first by the merchant's,
 * of all merchants five each. Not all of them, where there are more.
 */
export async function findOrdersByBeginning(
  db: Db,
  begin: string,
  mchNo: string | null,
  limit: number,
): Promise<ListedOrder[]> {
  const values = [begin, lastOf(begin), mchNo, limit]
  const byOurs = await run<ListedOrder>(
    db,
    'findOrdersByBeginning',
    `select ${COLUMNS} from merchant m cross join lateral (
       select * from orders x where x.mch_no = m.mch_no and x.transaction_no >= $1 and x.transaction_no <= $2
        order by x.transaction_no desc limit $4) o
      where $3::text is null or m.mch_no = $3 order by o.transaction_no desc limit $4`,
    values,
  )
  const byTheirs = await run<ListedOrder>(
    db,
    'findOrdersByTradeBeginning',
    `select ${COLUMNS} from merchant m cross join lateral (
       select * from orders x
        where x.mch_no = m.mch_no and x.mch_trade_no >= $1 and x.mch_trade_no <= $2 and starts_with(x.mch_trade_no, $1)
        order by x.mch_trade_no limit case when $3::text is null then 5 else $4::bigint end) o
      where $3::text is null or m.mch_no = $3 order by o.transaction_no desc limit $4`,
    values,
  )
  const found = new Map([...byOurs, ...byTheirs].map((order) => [`${order.mchNo}/${order.transactionNo}`, order]))
  return [...found.values()].sort((one, other) => (one.transactionNo < other.transactionNo ? 1 : -1)).slice(0, limit)
}

/** Orders with a payment whose number at the upstream, which stands on the payer's receipt, ends so. The newest first. */
export const findOrdersByPaymentEnd = (
  db: Db,
  end: string,
  mchNo: string | null,
  limit: number,
): Promise<ListedOrder[]> =>
  run<ListedOrder>(
    db,
    'findOrdersByPaymentEnd',
    `with found as (
       select distinct mch_no, transaction_no from payment
        where reverse(payment_no) ~>=~ reverse($1) and reverse(payment_no) ~<~ (reverse($1) || '~') and ($2::text is null or mch_no = $2) limit 200)
     select ${COLUMNS} from found f join orders o on o.mch_no = f.mch_no and o.transaction_no = f.transaction_no
      order by o.transaction_no desc limit $3`,
    [end, mchNo, limit],
  )

/** Paid orders of exactly this amount, the newest first. */
export const findOrdersByAmount = (
  db: Db,
  amountFen: bigint,
  mchNo: string | null,
  limit: number,
): Promise<ListedOrder[]> =>
  run<ListedOrder>(
    db,
    'findOrdersByAmount',
    `select ${COLUMNS} from merchant m cross join lateral (
       select * from orders x where x.mch_no = m.mch_no and x.amount_fen = $1 and x.success_time is not null
        order by x.transaction_no desc limit $3) o
      where $2::text is null or m.mch_no = $2 order by o.transaction_no desc limit $3`,
    [amountFen, mchNo, limit],
  )
