/** Operations for many orders that a user of the console asked for, and that wait for another user. People make few of them. */
import { type Db, run } from '../db.ts'

export type BulkRequest = {
  requestNo: string
  operation: 'close' | 'resend'
  orders: { mchNo: string; transactionNo: string }[]
  /** The merchant of all of them; null where they are of several. */
  mchNo: string | null
  askedBy: string
  askedAt: Date
}

/** `mchNo`: of the merchant whose requests the caller may see; null sees all. */
export type BulkRequestKey = { requestNo: string; mchNo: string | null }

const COLUMNS = `request_no as "requestNo", deed as operation, orders, mch_no as "mchNo", asked_by as "askedBy", asked_at as "askedAt"`

export async function addBulkRequest(db: Db, one: BulkRequest): Promise<void> {
  await run(
    db,
    'addBulkRequest',
    'insert into bulk_request (request_no, deed, orders, mch_no, asked_by, asked_at) values ($1, $2, $3, $4, $5, $6)',
    [one.requestNo, one.operation, JSON.stringify(one.orders), one.mchNo, one.askedBy, one.askedAt],
  )
}

type Row = Omit<BulkRequest, 'orders'> & { orders: string }

const read = (row: Row): BulkRequest => ({ ...row, orders: JSON.parse(row.orders) as BulkRequest['orders'] })

export async function findBulkRequest(db: Db, { requestNo, mchNo }: BulkRequestKey): Promise<BulkRequest | null> {
  const text = `select ${COLUMNS} from bulk_request where request_no = $1 and ($2::text is null or mch_no = $2)`
  const [row] = await run<Row>(db, 'findBulkRequest', text, [requestNo, mchNo])
  return row === undefined ? null : read(row)
}

/** The oldest first, at most `limit`. */
export async function listBulkRequests(db: Db, mchNo: string | null, limit: number): Promise<BulkRequest[]> {
  const rows = await run<Row>(
    db,
    'listBulkRequests',
    `select ${COLUMNS} from bulk_request where $1::text is null or mch_no = $1 order by asked_at, request_no limit $2`,
    [mchNo, limit],
  )
  return rows.map(read)
}

/** False when there is none. */
export async function removeBulkRequest(db: Db, { requestNo, mchNo }: BulkRequestKey): Promise<boolean> {
  const text = 'delete from bulk_request where request_no = $1 and ($2::text is null or mch_no = $2) returning 1'
  return (await run(db, 'removeBulkRequest', text, [requestNo, mchNo])).length === 1
}
