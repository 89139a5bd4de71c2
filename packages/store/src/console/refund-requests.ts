/** Refunds that a user of the console asked for, and that wait for another user. */
import { type Db, run } from '../db.ts'

export type RefundRequest = {
  mchNo: string
  mchRefundNo: string
  transactionNo: string
  amountFen: bigint
  reason: string
  askedBy: string
  askedAt: Date
}

export type RefundRequestKey = Pick<RefundRequest, 'mchNo' | 'mchRefundNo'>

const COLUMNS = `mch_no as "mchNo", mch_refund_no as "mchRefundNo", transaction_no as "transactionNo", amount_fen as "amountFen",
  reason, asked_by as "askedBy", asked_at as "askedAt"`

/** False when the merchant has a request with this number. */
export async function addRefundRequest(db: Db, request: RefundRequest): Promise<boolean> {
  const rows = await run(
    db,
    'addRefundRequest',
    `insert into refund_request (mch_no, mch_refund_no, transaction_no, amount_fen, reason, asked_by, asked_at)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning 1`,
    [
      request.mchNo,
      request.mchRefundNo,
      request.transactionNo,
      request.amountFen,
      request.reason,
      request.askedBy,
      request.askedAt,
    ],
  )
  return rows.length === 1
}

export async function findRefundRequest(
  db: Db,
  { mchNo, mchRefundNo }: RefundRequestKey,
): Promise<RefundRequest | null> {
  const text = `select ${COLUMNS} from refund_request where mch_no = $1 and mch_refund_no = $2`
  return (await run<RefundRequest>(db, 'findRefundRequest', text, [mchNo, mchRefundNo]))[0] ?? null
}

/** The oldest first, from after `after`; of one merchant, or of all where `mchNo` is null. People make few of them. */
export const listRefundRequests = (
  db: Db,
  {
    mchNo,
    after,
    limit,
  }: { mchNo: string | null; after: (RefundRequestKey & { askedAt: Date }) | null; limit: number },
): Promise<RefundRequest[]> =>
  run<RefundRequest>(
    db,
    'listRefundRequests',
    `select ${COLUMNS} from refund_request
      where ($1::text is null or mch_no = $1)
        and ($2::timestamptz is null or (asked_at, mch_no, mch_refund_no) > ($2, $3::text, $4::text))
      order by asked_at, mch_no, mch_refund_no limit $5`,
    [mchNo, after?.askedAt ?? null, after?.mchNo ?? null, after?.mchRefundNo ?? null, limit],
  )

/** False when there is none. */
export async function removeRefundRequest(db: Db, { mchNo, mchRefundNo }: RefundRequestKey): Promise<boolean> {
  const text = 'delete from refund_request where mch_no = $1 and mch_refund_no = $2 returning 1'
  return (await run(db, 'removeRefundRequest', text, [mchNo, mchRefundNo])).length === 1
}
