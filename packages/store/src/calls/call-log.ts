/** The log of each merchant's calls: written in batches after the answers have left, read by the merchant. */
import { EACH_ALONE, inGroups, type Spread, whereOf } from '../citus/groups.ts'
import { runOver } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'

export type CallKind = 'done' | 'refused' | 'unproven'

/** What the check of the signature saw. */
export type SignatureSeen = 'VERIFIED' | 'NOT_CHECKED' | 'NO_SIGNATURE' | 'OTHER_KEY' | 'OTHER_DIGEST' | 'OTHER_TEXT'

export type LoggedCall = {
  at: Date
  requestId: string
  call: string
  address: string
  transactionNo: string | null
  mchTradeNo: string | null
  refundNo: string | null
  mchRefundNo: string | null
  status: number
  message: string
  fieldErrors: string | null
  code: string | null
  ms: number
  signature: SignatureSeen
  keyId: string | null
  signedText: string | null
  sent: string | null
  signedDigest: string | null
  leftOut: number
}

/** Calls of one merchant and one kind. */
export type CallsOfOne = { mchNo: string; kind: CallKind; calls: LoggedCall[] }

/** Adds the calls of many merchants in one statement. */
export async function addCalls(db: Db, lists: CallsOfOne[]): Promise<void> {
  await run(
    db,
    'addCalls',
    `insert into call_log (mch_no, kind, at, request_id, call, address, transaction_no, mch_trade_no, refund_no, mch_refund_no,
                           status, message, field_errors, code, ms, signature, key_id, signed_text, sent, signed_digest, left_out)
     select l."mchNo", l.kind, c.at, c."requestId", c.call, c.address, c."transactionNo", c."mchTradeNo", c."refundNo", c."mchRefundNo",
            c.status, c.message, c."fieldErrors", c.code, c.ms, c.signature, c."keyId", c."signedText", c.sent, c."signedDigest", c."leftOut"
       from jsonb_to_recordset($1::jsonb) as l ("mchNo" text, kind text, calls jsonb)
      cross join lateral jsonb_to_recordset(l.calls) as c (
            at timestamptz, "requestId" text, call text, address text, "transactionNo" text, "mchTradeNo" text, "refundNo" text,
            "mchRefundNo" text, status integer, message text, "fieldErrors" text, code text, ms integer, signature text, "keyId" text,
            "signedText" text, sent text, "signedDigest" text, "leftOut" integer)
     on conflict do nothing`,
    [JSON.stringify(lists)],
  )
}

/** Removes a merchant's calls of this kind beyond the newest `max`. */
export async function trimCalls(
  db: Db,
  { mchNo, kind, max }: { mchNo: string; kind: CallKind; max: number },
): Promise<void> {
  await run(
    db,
    'trimCalls',
    `delete from call_log where mch_no = $1 and kind = $2 and (at, request_id) <= (
       select at, request_id from call_log where mch_no = $1 and kind = $2
        order by at desc, request_id desc offset $3 limit 1)`,
    [mchNo, kind, max],
  )
}

export type CallFilter = {
  call: string | null
  /** The status in the answer's envelope. */
  status: number | null
  /** A number of an order or a refund, the platform's or the merchant's. */
  number: string | null
  from: Date | null
  /** The last call of the previous page. */
  before: { at: Date; requestId: string } | null
}

/** A merchant's calls, the newest first, at most `limit`. They are so few that they are sorted when they are read. */
export const listCalls = (
  db: Db,
  mchNo: string,
  { call, status, number, from, before }: CallFilter,
  limit: number,
): Promise<LoggedCall[]> =>
  run<LoggedCall>(
    db,
    'listCalls',
    `select at, request_id as "requestId", call, address, transaction_no as "transactionNo", mch_trade_no as "mchTradeNo",
            refund_no as "refundNo", mch_refund_no as "mchRefundNo", status, message, field_errors as "fieldErrors", code, ms,
            signature, key_id as "keyId", signed_text as "signedText", sent, signed_digest as "signedDigest", left_out as "leftOut"
       from call_log
      where mch_no = $1 and ($2::text is null or call = $2) and ($3::integer is null or status = $3)
        and ($4::text is null or $4 in (transaction_no, mch_trade_no, refund_no, mch_refund_no))
        and ($5::timestamptz is null or at >= $5)
        and ($6::timestamptz is null or (at, request_id) < ($6, $7::text))
      order by at desc, request_id desc limit $8`,
    [mchNo, call, status, number, from, before?.at, before?.requestId, limit],
  )

/** Forgets at most `limit` calls before `before`; returns how many. */
export async function forgetCalls(
  db: Db,
  before: Date,
  limit: number,
  { groupOf = EACH_ALONE, reach }: Spread = {},
): Promise<number> {
  const old = await runOver<{ mchNo: string; kind: string; at: Date; requestId: string }>(
    { db, reach },
    'oldCalls',
    `select mch_no as "mchNo", kind, at, request_id as "requestId" from call_log
      where at < $1 /* of those in reach: mch_no */ order by at limit $2`,
    [before, limit],
  )
  let forgotten = 0
  for (const calls of inGroups(old, groupOf)) {
    const rows = await run<{ forgotten: number }>(
      db,
      'forgetCalls',
      'select forgotten from forget_calls($1, $2, $3, $4, $5, $6)',
      [
        whereOf(calls),
        before,
        calls.map(({ mchNo }) => mchNo),
        calls.map(({ kind }) => kind),
        calls.map(({ at }) => at),
        calls.map(({ requestId }) => requestId),
      ],
    )
    for (const row of rows) forgotten += row.forgotten
  }
  return forgotten
}
