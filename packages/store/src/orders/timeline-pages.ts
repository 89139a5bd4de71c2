/** All orders with their timelines, page by page. */
import type { OrderState } from '@acopay/core'
import { type Db, run } from '../db.ts'
import type { TimelineEntry } from './timeline.ts'

export type WholeTimeline = {
  mchNo: string
  transactionNo: string
  mchTradeNo: string
  state: OrderState
  headSeq: number
  headHash: Buffer
  entries: TimelineEntry[]
}

type Row = Omit<WholeTimeline, 'entries'> & { [Name in keyof TimelineEntry]: TimelineEntry[Name] | null }

/** Orders of one read. */
const PAGE = 500

/** `mchNo` null: of all merchants. `from` and `until`: only orders that have an entry from then. In the order of their keys. */
export async function* timelinePages(
  db: Db,
  { mchNo, from, until }: { mchNo: string | null; from: Date | null; until: Date | null },
): AsyncGenerator<WholeTimeline[]> {
  let last = { mchNo: '', transactionNo: '' }
  for (;;) {
    // One statement, so that an order that changes meanwhile is read with its timeline.
    const rows = await run<Row>(
      db,
      'timelinePage',
      `select o.mch_no as "mchNo", o.transaction_no as "transactionNo", o.mch_trade_no as "mchTradeNo", o.state,
              o.head_seq as "headSeq", o.head_hash as "headHash", t.seq, t.at, t.entry, t.hash, t.mac
         from (select mch_no, transaction_no, mch_trade_no, state, head_seq, head_hash from orders
                where (mch_no, transaction_no) > ($1, $2) and ($3::text is null or mch_no = $3)
                  and ($4::timestamptz is null or exists (
                    select from timeline d where d.mch_no = orders.mch_no and d.transaction_no = orders.transaction_no
                       and d.at >= $4 and d.at < $5))
                order by mch_no, transaction_no limit $6) o
         left join timeline t on t.mch_no = o.mch_no and t.transaction_no = o.transaction_no
        order by o.mch_no, o.transaction_no, t.seq`,
      [last.mchNo, last.transactionNo, mchNo, from, until, PAGE],
    )
    const page = wholeOf(rows)
    yield page
    const end = page.at(-1)
    if (page.length < PAGE || end === undefined) return
    last = end
  }
}

function wholeOf(rows: Row[]): WholeTimeline[] {
  const whole: WholeTimeline[] = []
  for (const { seq, at, entry, hash, mac, ...order } of rows) {
    let one = whole.at(-1)
    if (one?.mchNo !== order.mchNo || one.transactionNo !== order.transactionNo) {
      one = { ...order, entries: [] }
      whole.push(one)
    }
    if (seq !== null && at !== null && entry !== null && hash !== null) one.entries.push({ seq, at, entry, hash, mac })
  }
  return whole
}
