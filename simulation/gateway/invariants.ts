/** Checks the invariants of spec/order-lifecycle.md on the database, on the upstreams' books and on what merchants were told. */
import { brokenAt, type Db, readTimeline, unstampedAt } from '@acopay/store'
import type pg from 'pg'
import { stampsOf } from '../../apps/server/src/security/stamps.ts'
import { purposeKey } from './gateway.ts'
import type { KnownOrder } from './operations.ts'
import type { Ledger } from './told.ts'
import { backFen, type Payment, type SentBack, type Trade } from './trades.ts'

type Finding = { what: string }

/** Must return no row after any write. */
const ALWAYS = `
  select 'I1: an order keeps two payments, or another amount than its own' as what
   where exists (select from orders o join payment p using (mch_no, transaction_no) where p.fate = 'keep'
     group by o.mch_no, o.transaction_no, o.amount_fen having count(*) > 1 or max(p.amount_fen) <> o.amount_fen)
  union all select 'I2: a closed order keeps a payment'
   where exists (select from orders o join payment p using (mch_no, transaction_no)
     where p.fate = 'keep' and o.state not in ('SUCCESS', 'REFUND'))
  union all select 'I2: a paid order keeps no payment'
   where exists (select from orders o where o.state in ('SUCCESS', 'REFUND') and not exists (select from payment p
     where p.mch_no = o.mch_no and p.transaction_no = o.transaction_no and p.fate = 'keep'))
  union all select 'I2: a payment that is not kept has no reversal of its amount'
   where exists (select from payment p left join reversal r using (mch_no, attempt_no, payment_no)
     where p.fate = 'reverse' and r.amount_fen is distinct from p.amount_fen)
  union all select 'I4: refunds exceed what was paid'
   where exists (select from refund r join payment p using (mch_no, attempt_no, payment_no) where r.state <> 'FAIL'
     group by p.mch_no, p.transaction_no, p.amount_fen, p.fate
     having count(*) > 20 or sum(r.amount_fen) > p.amount_fen or p.fate <> 'keep')
  union all select 'I5: a change has no notification, or two' where exists (
    select from (
      select mch_no, transaction_no, 'payment SUCCESS' as what, 1 as must, 0 as told from orders
       where notify_url is not null and success_time is not null
      union all select mch_no, transaction_no, 'refund ' || state || refund_no, 1, 0 from refund
       where notify_url is not null and state <> 'PROCESSING'
      union all select r.mch_no, r.transaction_no, 'payment REFUND', 1, 0 from reversal r
        join payment p using (mch_no, attempt_no, payment_no)
        join orders o on o.mch_no = r.mch_no and o.transaction_no = r.transaction_no
       where p.fate = 'keep' and o.notify_url is not null
      union all select mch_no, transaction_no, kind || ' ' || (news::json ->> 'code')
             || coalesce(news::json ->> 'refund_no', ''), 0, 1 from notification) told
    group by mch_no, transaction_no, what having sum(must) <> 1 or sum(told) <> 1)
  union all select 'I5: a refund is told with a time of success and is not done, or is done and told without'
   where exists (select from notification where kind = 'refund'
     and (news::json ->> 'code' = 'SUCCESS') <> (news::json ->> 'success_time' is not null))
  union all select 'I5: a notification is due although the one ahead of it has failed and waits'
   -- 'age' tells whether it was written since that try: whoever sends it again makes it due.
   where exists (select from notification n join notification_try t using (mch_no, transaction_no, seq)
     join notification b on b.mch_no = n.mch_no and b.transaction_no = n.transaction_no and b.seq > n.seq
     where n.state = 'PENDING' and b.state = 'PENDING' and age(b.xmin) >= age(t.xmin) and b.due_at <= t.at)
  union all select 'J1: an order that is being closed has no job'
   where exists (select from orders o where state = 'CLOSING' and not exists (select from job j
     where j.mch_no = o.mch_no and j.kind = 'shut_attempts' and j.subject = o.transaction_no))
  union all select 'J2: an attempt that is being opened has no job'
   where exists (select from attempt a where state = 'OPENING' and not exists (select from job j
     where j.mch_no = a.mch_no and j.kind = 'resolve_attempt' and j.subject = a.attempt_no))
  union all select 'J3: a refund or a reversal has no job'
   where exists (select from reversal r where state = 'PROCESSING' and not exists (select from job j
     where j.mch_no = r.mch_no and j.kind = 'reverse_payment' and j.subject = r.refund_no))
      or exists (select from refund r where state = 'PROCESSING' and not exists (select from job j
     where j.mch_no = r.mch_no and j.kind = 'send_refund' and j.subject = r.refund_no))
  union all select 'J4: a closed attempt that may still be paid is not watched'
   where exists (select from attempt a where state = 'SHUT' and $1 < a.upstream_expire + interval '10 minutes' and not exists (select from job j
     where j.mch_no = a.mch_no and j.kind = 'watch_attempt' and j.subject = a.attempt_no))`

const AT_REST = `
  select 'I8: an order is ' || state as what from orders where state in ('CLOSING', 'NOTPAY')
  union all select 'F1: a payment was started although the order was being closed'
   where exists (select from timeline t join timeline e using (mch_no, transaction_no)
     where e.seq < t.seq and t.entry::json ->> 'event' = 'pay_started' and e.entry::json ->> 'to' in ('CLOSING', 'CLOSED'))
  union all select 'I8: an attempt is still ' || state from attempt where state in ('OPENING', 'OPEN')
  union all select 'I4: a reversal is still under way' from reversal where state = 'PROCESSING'
  union all select 'I8: a refund is still under way' from refund where state = 'PROCESSING'
  union all select 'I5: a notification is neither delivered nor in the dead letters' from notification where state = 'PENDING'
  union all select 'I5: a notification counts other tries than were made'
   -- A try that a process wrote down after its lease had ended is not counted.
   where exists (select from notification n cross join lateral (select count(*) as made from notification_try t
     where t.mch_no = n.mch_no and t.transaction_no = n.transaction_no and t.seq = n.seq and t.failure is not null) t
     where tries not between made - 2 and made)
  union all select 'I5: a notification is given up before its sixteen tries' from notification where state = 'DEAD' and tries < 16`

type Statement = { name: string; text: string; values?: unknown[] }

const first = async (connection: pg.Client, statement: Statement): Promise<string | null> =>
  (await connection.query<Finding>(statement)).rows[0]?.what ?? null

export const brokenNow = (connection: pg.Client, nowMs: number): Promise<string | null> =>
  first(connection, { name: 'always', text: ALWAYS, values: [new Date(nowMs)] })

/** The invariant that is broken although nothing is left to do; null if none is. */
export async function brokenAtRest(
  connection: pg.Client,
  mchNo: string,
  trades: Trade[],
  nowMs: number,
): Promise<string | null> {
  const early = (await brokenNow(connection, nowMs)) ?? (await first(connection, { name: 'rest', text: AT_REST }))
  if (early !== null) return early
  const { rows: booked } = await connection.query<{ no: string; taken: string; back: string }>({
    name: 'booked',
    text: `select p.payment_no as no, p.amount_fen::text as taken, coalesce((
        select sum(fen) from (
          select v.amount_fen as fen from reversal v where v.payment_no = p.payment_no and v.mch_no = p.mch_no
          union all select f.amount_fen from refund f where f.payment_no = p.payment_no and f.mch_no = p.mch_no
            and f.state = 'SUCCESS') back), 0)::text as back from payment p`,
  })
  const ours = new Map(booked.map(({ no, taken, back }) => [no, `${taken} taken, ${back} back`]))
  for (const payment of trades.flatMap(({ payments }) => payments)) {
    const { paymentNo: no, amountFen } = payment
    const theirs = `${amountFen} taken, ${backFen(payment)} back`
    const own = ours.get(no)
    if (own === undefined) return `I6: the upstream took money as ${no} that is not in the books`
    // If others send back a payment after it was booked, only the daily bill shows it, and there is no bill here.
    const isOutside = own === `${amountFen} taken, ${backFen(payment) - outsideFen(payment)} back`
    if (own !== theirs && !isOutside) return `I6: of ${no} the upstream says ${theirs}, the books ${own}`
    ours.delete(no)
  }
  const [unknown] = ours.keys()
  if (unknown !== undefined) return `I6: the books have a payment of ${unknown} that no upstream took`
  return brokenChain(connection, mchNo)
}

const outsideFen = ({ refunds }: Payment): bigint =>
  refunds.reduce((sum, { by, fen }) => sum + (by === 'outside' ? fen : 0n), 0n)

type Row = { no: string; what: 'keep' | 'reversal' | 'refund'; state: string; fen: bigint; paymentNo: string }

/** Compares the books with those of the upstreams. They may differ while work is left, but not in these points. */
export async function brokenBooks(connection: pg.Client, trades: Trade[], nowMs: number): Promise<string | null> {
  const sent = trades
    .flatMap(({ payments }) => payments)
    .flatMap(({ paymentNo, refunds }) => refunds.map((refund) => ({ ...refund, paymentNo })))
  if (sent.length === 0) return null
  const { rows } = await connection.query<Row>({
    name: 'books',
    text: `select payment_no as no, 'keep' as what, '' as state, amount_fen as fen, payment_no as "paymentNo" from payment
            where fate = 'keep'
           union all select refund_no, 'reversal', state, amount_fen, payment_no from reversal
           union all select refund_no, 'refund', state, amount_fen, payment_no from refund`,
  })
  for (const one of sent) {
    const broken = brokenSending(one, rows, nowMs)
    if (broken !== null) return broken
  }
  return null
}

/** Compares one sum that an upstream has sent back with the books. */
function brokenSending(one: SentBack & { paymentNo: string }, rows: Row[], nowMs: number): string | null {
  const { no, by, fen, doneMs, paymentNo } = one
  const isKept = rows.some((row) => row.what === 'keep' && row.no === paymentNo)
  if (isKept && fen > 0n && (by === 'gateway' || by === 'close')) {
    return `I10: ${paymentNo.slice(-6)} was kept, and the ${by} sent it back`
  }
  const own = rows.find((row) => row.no === no && row.what !== 'keep')
  if (own?.state === 'SUCCESS' && doneMs > nowMs)
    return `R1: the books call ${no.slice(-6)} done, and it is still under way`
  if (by !== 'merchant' || fen === 0n) return null
  const isAsked = own?.what === 'refund' && own.fen === fen && own.paymentNo === paymentNo
  if (!isAsked)
    return `I9: ${fen} of ${paymentNo.slice(-6)} went back as ${no.slice(-6)}, which the merchant did not ask for`
  return own.state === 'FAIL' ? `I9: the books call refund ${no.slice(-6)} failed, and it was sent` : null
}

type Outside = { orders: KnownOrder[]; told: Ledger; trades: Trade[]; nowMs: number }

/**
 * An order whose merchant was told that it is closed, and that can still be paid. Exception: only the upstream can refuse a
 * code that a payer scans after the closing began. The watch closes such a trade, or its payment is reversed.
 */
export function stillPayable({ orders, told, trades, nowMs }: Outside): string | null {
  for (const { no, attempts, closingSinceMs } of orders) {
    if (no === null || !told.isToldClosed(no)) continue
    const open = trades.filter(
      (trade) => attempts.includes(trade.no) && trade.state === 'open' && !trade.isCode && nowMs < trade.expireMs,
    )
    const isGivenAway = ({ wasCode, tradeSinceMs }: Trade): boolean => wasCode && tradeSinceMs > closingSinceMs
    if (!open.every(isGivenAway)) return `P1: the merchant was told that ${no.slice(-6)} is closed, and it can be paid`
    // The watch must close a trade as soon as it finds it open.
    const left = open.find(({ openings }) => openings > 1)
    if (left !== undefined)
      return `W1: ${left.no.slice(-6)} was found open twice after its order was closed, and not closed`
  }
  return null
}

const STAMPS = stampsOf(purposeKey)

async function brokenChain(connection: pg.Client, mchNo: string): Promise<string | null> {
  const { rows } = await connection.query<{ no: string; headSeq: number; headHash: Buffer; state: string }>({
    name: 'heads',
    text: 'select transaction_no as no, head_seq as "headSeq", head_hash as "headHash", state from orders',
  })
  for (const { no, state, ...head } of rows) {
    const entries = await readTimeline(connection as unknown as Db, mchNo, no)
    const broken = brokenAt(entries, mchNo, no, head)
    if (broken !== null) return `I7: the timeline breaks at entry ${broken}`
    const unstamped = unstampedAt(entries, { mchNo, transactionNo: no }, { entry: STAMPS.entry, since: null })
    if (unstamped !== null) return `I7: the timeline's entry ${unstamped} has no stamp of its place`
    const { to } = JSON.parse(entries.at(-1)?.entry ?? '{}') as { to?: string }
    if (to !== state) return `I7: the timeline ends in ${to}, the order is ${state}`
  }
  return null
}
