/** Times at which the database was set back to an earlier moment, and what the gateway still has to do about them. */
import { type Db, run } from '../db.ts'

export type Restoration = { beganAt: Date; restoredTo: Date; doneAt: Date | null; report: string | null }

const COLUMNS = 'began_at as "beganAt", known_until as "restoredTo", done_at as "doneAt", report'

/** From here on no gateway serves before the orders that were open have been closed. */
export async function addRestoration(
  db: Db,
  { beganAt, restoredTo }: { beganAt: Date; restoredTo: Date },
): Promise<void> {
  await run(db, 'addRestoration', 'insert into restoration (began_at, known_until, held_until) values ($1, $2, $1)', [
    beganAt,
    restoredTo,
  ])
}

export const listRestorations = (db: Db): Promise<Restoration[]> =>
  run(db, 'listRestorations', `select ${COLUMNS} from restoration order by began_at`, [])

export const undoneRestorations = (db: Db): Promise<Restoration[]> =>
  run(db, 'undoneRestorations', `select ${COLUMNS} from restoration where done_at is null order by began_at`, [])

/** False while another gateway holds it. */
export async function holdRestoration(db: Db, beganAt: Date, now: Date, until: Date): Promise<boolean> {
  const text = `update restoration set held_until = $3
                 where began_at = $1 and done_at is null and held_until <= $2 returning 1`
  return (await run(db, 'holdRestoration', text, [beganAt, now, until])).length === 1
}

/** Whoever holds it goes on holding it. */
export async function keepRestoration(db: Db, beganAt: Date, until: Date): Promise<void> {
  await run(db, 'keepRestoration', 'update restoration set held_until = $2 where began_at = $1', [beganAt, until])
}

export async function finishRestoration(db: Db, beganAt: Date, report: string, now: Date): Promise<void> {
  const text = 'update restoration set done_at = $3, report = $2 where began_at = $1 and done_at is null'
  await run(db, 'finishRestoration', text, [beganAt, report, now])
}

export type OrderKeys = { mchNo: string; transactionNo: string }[]

/** Notes orders whose close was answered, and which the books call open. */
export async function addAnsweredCloses(db: Db, keys: OrderKeys): Promise<number> {
  const text = `insert into restoration_close (mch_no, transaction_no)
                select c.mch_no, c.transaction_no from unnest($1::text[], $2::text[]) as c (mch_no, transaction_no)
                  join orders o on o.mch_no = c.mch_no and o.transaction_no = c.transaction_no
                 where o.state in ('NOTPAY', 'CLOSING')
                on conflict do nothing returning 1`
  const values = [keys.map(({ mchNo }) => mchNo), keys.map(({ transactionNo }) => transactionNo)]
  return (await run(db, 'addAnsweredCloses', text, values)).length
}

/** A page of them, after `after`. */
export const answeredCloses = (db: Db, after: OrderKeys[number] | null, limit: number): Promise<OrderKeys> =>
  run(
    db,
    'answeredCloses',
    `select mch_no as "mchNo", transaction_no as "transactionNo" from restoration_close
      where $1::text is null or (mch_no, transaction_no) > ($1, $2) order by mch_no, transaction_no limit $3`,
    [after?.mchNo, after?.transactionNo, limit],
  )

/**
 * The lost time in which this refund may have been made already under another number, which the books have lost: it is asked
 * for again after the database was set back, for a payment from before. Null where it cannot have been.
 */
export async function lostTimeOfRefund(
  db: Db,
  { mchNo, refundNo }: { mchNo: string; refundNo: string },
): Promise<Pick<Restoration, 'beganAt' | 'restoredTo'> | null> {
  const rows = await run<Pick<Restoration, 'beganAt' | 'restoredTo'>>(
    db,
    'lostTimeOfRefund',
    `select max(r.began_at) as "beganAt", min(r.known_until) as "restoredTo"
       from restoration r, refund f join payment p using (mch_no, attempt_no, payment_no)
      where f.mch_no = $1 and f.refund_no = $2 and f.created_at >= r.began_at and p.paid_at <= r.began_at
     having count(*) > 0`,
    [mchNo, refundNo],
  )
  return rows[0] ?? null
}

/** Which of these days have been compared with the upstream's bill since then. */
export async function comparedDays(
  db: Db,
  { mchNo, channel, days }: { mchNo: string; channel: string; days: string[] },
): Promise<string[]> {
  const text = `select day::text as day from reconciliation where mch_no = $1 and channel = $2 and day = any ($3::date[])`
  return (await run<{ day: string }>(db, 'comparedDays', text, [mchNo, channel, days])).map(({ day }) => day)
}

/** Numbers of refunds of this payment that the upstream's bills list and the books do not know. */
export async function unknownRefunds(
  db: Db,
  { mchNo, attemptNo, paymentNo }: { mchNo: string; attemptNo: string; paymentNo: string },
): Promise<string[]> {
  const text = `select distinct refund_no as "refundNo" from reconciliation_difference
                 where mch_no = $1 and attempt_no = $2 and payment_no = $3 and kind = 'REFUND_UNKNOWN'`
  const rows = await run<{ refundNo: string }>(db, 'unknownRefunds', text, [mchNo, attemptNo, paymentNo])
  return rows.map(({ refundNo }) => refundNo)
}

/** The merchant's orders whose number begins so: those that were placed in one millisecond. */
export async function ordersByNumber(db: Db, mchNo: string, head: string): Promise<string[]> {
  const text = `select transaction_no as "transactionNo" from orders
                 where mch_no = $1 and transaction_no >= $2 and transaction_no < $2 || ':' order by transaction_no limit 1000`
  const rows = await run<{ transactionNo: string }>(db, 'ordersByNumber', text, [mchNo, head])
  return rows.map(({ transactionNo }) => transactionNo)
}
