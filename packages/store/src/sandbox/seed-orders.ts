/** Many plausible orders for measurements, each with the timeline, attempt, payment and refund that a real one would have. */
import { type Db, run } from '../db.ts'
import { merchantStampKey } from '../orders/timeline.ts'

/** The merchants are LOAD0000 to LOAD0200; the first has half of all orders. */
export const LOAD_MERCHANTS = 201

export async function addLoadMerchants(db: Db, now: Date): Promise<void> {
  await run(
    db,
    'addLoadMerchants',
    `insert into merchant (mch_no, name, created_at)
     select 'LOAD' || lpad(n::text, 4, '0'), '压测商户 ' || n, $1 from generate_series(0, $2::int - 1) n
     on conflict do nothing`,
    [now, LOAD_MERCHANTS],
  )
  await run(
    db,
    'addLoadApps',
    `insert into app (mch_no, app_no, name, created_at)
     select mch_no, 'APP' || mch_no, name, $1 from merchant where mch_no like 'LOAD____' on conflict do nothing`,
    [now],
  )
}

/** The number of seeded orders, which is where the next batch begins. */
export async function countLoadOrders(db: Db): Promise<number> {
  const rows = await run<{ next: number }>(
    db,
    'countLoadOrders',
    `select coalesce(max(substr(mch_trade_no, 5)::int) + 1, 0) as next from (
       select (select mch_trade_no from orders o where o.mch_no = m.mch_no order by transaction_no desc limit 1)
         from merchant m where m.mch_no like 'LOAD____') newest (mch_trade_no)`,
    [],
  )
  return rows[0]?.next ?? 0
}

/**
 * Adds the orders number `from` to `until` - 1 of `total`, spread evenly over the time from `begin` to `end`. All values of an
 * order follow from its number. Except for the newest, all orders have ended, so that no jobs are needed. The timelines' keyed hashes
 * are HMACs written in SQL, so that a million of them cost seconds: `stampKey` makes the keys of these merchants, and no other's.
 */
export const addLoadOrders = (
  db: Db,
  batch: { from: number; until: number; total: number; begin: Date; end: Date; stampKey: Buffer },
): Promise<object[]> => {
  const merchants = Array.from({ length: LOAD_MERCHANTS }, (_, n) => `LOAD${String(n).padStart(4, '0')}`)
  const keys = merchants.map((mchNo) => merchantStampKey(batch.stampKey, mchNo))
  return run(
    db,
    'addLoadOrders',
    `with drawn as materialized (
       select i, 'LOAD' || lpad((case when hashint8(i) % 2 = 0 then 0 else abs(hashint8extended(i, 1) % 200) + 1 end)::text, 4, '0') as mch_no,
              $4::timestamptz + ($5::timestamptz - $4::timestamptz) * (i::float8 / $3) as at,
              abs(hashint8extended(i, 2) % 100) as fate, 1 + abs(hashint8extended(i, 3) % 50000) as fen,
              lpad(abs(hashint8extended(i, 4) / 2)::text, 19, '0') as digits,
              case when hashint8extended(i, 5) % 3 = 0 then 'alipay' else 'wechat' end as channel,
              -- The time from placing to the end.
              (5 + abs(hashint8extended(i, 6) % 600)) * interval '1 second' as took
         from generate_series($1::bigint, $2::bigint - 1) i),
     kinds as materialized (
       select d.*, date_trunc('milliseconds', at) as placed_at, date_trunc('milliseconds', at + took) as ended_at,
              case when at > $5::timestamptz - interval '10 minutes' then 'NOTPAY' when fate < 62 then 'SUCCESS' when fate < 66 then 'REFUND' else 'CLOSED' end as state,
              case when fate < 66 then null when fate < 86 then 'EXPIRED' when fate < 98 then 'MERCHANT' else 'OPERATOR' end as reason,
              fate < 80 as has_attempt
         from drawn d),
     named as materialized (
       select k.*, to_char(placed_at at time zone 'Asia/Shanghai', 'YYYYMMDDHH24MISSMS') || digits as number,
              to_char(placed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as placed_text,
              to_char(ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as ended_text,
              'load' || lpad(i::text, 20, '0') as trade_no
         from kinds k),
     entries as materialized (
       select n.*,
              '{"at":"' || placed_text || '","event":"placed","to":"NOTPAY","mchTradeNo":"' || trade_no || '"}' as e1,
              case when has_attempt and state <> 'NOTPAY' then
                '{"at":"' || placed_text || '","event":"pay_started","from":"NOTPAY","to":"NOTPAY","closeReason":null,"money":null,"attemptNo":"AT' || number || '","channel":"' || channel || '","method":"native"}' end as e2,
              case state
                when 'NOTPAY' then null
                when 'CLOSED' then '{"at":"' || ended_text || '","event":"' || case reason when 'EXPIRED' then 'expired' else 'close_asked' end
                  || '","from":"NOTPAY","to":"' || case when has_attempt then 'CLOSING' else 'CLOSED' end || '","closeReason":"' || reason || '","money":null}'
                else '{"at":"' || ended_text || '","event":"money_arrived","from":"NOTPAY","to":"SUCCESS","closeReason":null,"money":"keep","attemptNo":"AT' || number || '","paymentNo":"42' || number || '","amountFen":"' || fen || '"}' end as e3,
              case when state = 'CLOSED' and has_attempt then
                     '{"at":"' || ended_text || '","event":"all_shut","from":"CLOSING","to":"CLOSED","closeReason":"' || reason || '","money":null,"attemptNos":["AT' || number || '"],"said":[]}'
                   when state = 'REFUND' then
                     '{"at":"' || ended_text || '","event":"refund_done","from":"SUCCESS","to":"REFUND","closeReason":null,"money":null,"refundNo":"AR' || number || '"}' end as e4
         from named n),
     c1 as materialized (select *, sha256(sha256(convert_to('acopay timeline v1' || chr(10) || mch_no || chr(10) || 'AP' || number, 'UTF8')) || convert_to(e1, 'UTF8')) as h1 from entries),
     c2 as materialized (select *, case when e2 is null then h1 else sha256(h1 || convert_to(e2, 'UTF8')) end as h2 from c1),
     c3 as materialized (select *, case when e3 is null then h2 else sha256(h2 || convert_to(e3, 'UTF8')) end as h3 from c2),
     c4 as materialized (select *, case when e4 is null then h3 else sha256(h3 || convert_to(e4, 'UTF8')) end as h4,
                                num_nonnulls(e1, e2, e3, e4) as steps from c3),
     steps as (
       select mch_no, number, 1 as seq, placed_at as at, e1 as entry, h1 as hash from c4
       union all select mch_no, number, 2, placed_at, e2, h2 from c4 where e2 is not null
       union all select mch_no, number, 2 + (e2 is not null)::int, ended_at, e3, h3 from c4 where e3 is not null
       union all select mch_no, number, steps, ended_at, e4, h4 from c4 where e4 is not null),
     pads as materialized (select * from unnest($6::text[], $7::bytea[], $8::bytea[]) as p (mch_no, inner_pad, outer_pad)),
     o as (
       insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire, state,
         close_reason, attempts, success_time, pay_channel, pay_method, head_seq, head_hash, created_at, changed_at, closed_at)
       select mch_no, 'AP' || number, 'APP' || mch_no, trade_no, '压测订单 ' || i, fen, 'CNY', placed_at + interval '2 hours', state,
              case when state = 'CLOSED' then reason end, (e2 is not null)::int, case when state in ('SUCCESS', 'REFUND') then ended_at end,
              case when state in ('SUCCESS', 'REFUND') then channel end, case when state in ('SUCCESS', 'REFUND') then 'native' end,
              steps, h4, placed_at, ended_at, case when state = 'CLOSED' then ended_at end
         from c4),
     t as (
       insert into timeline (mch_no, transaction_no, seq, at, entry, hash, mac)
       select s.mch_no, 'AP' || number, seq, at, entry, hash, sha256(outer_pad || sha256(inner_pad ||
                convert_to('transaction_no AP' || number || chr(10) || seq || chr(10) || entry, 'UTF8')))
         from steps s join pads on pads.mch_no = s.mch_no),
     a as (
       insert into attempt (mch_no, attempt_no, transaction_no, channel, method, amount_fen, state, upstream_expire,
         create_lands_until, created_at, changed_at)
       select mch_no, 'AT' || number, 'AP' || number, channel, 'native', fen, case when state = 'CLOSED' then 'SHUT' else 'PAID' end,
              placed_at + interval '2 hours', placed_at, placed_at, ended_at
         from c4 where e2 is not null),
     p as (
       insert into payment (mch_no, attempt_no, payment_no, transaction_no, amount_fen, currency, paid_at, fate, booked_at)
       select mch_no, 'AT' || number, '42' || number, 'AP' || number, fen, 'CNY', ended_at, 'keep', ended_at
         from c4 where state in ('SUCCESS', 'REFUND'))
     insert into refund (mch_no, refund_no, mch_refund_no, transaction_no, attempt_no, payment_no, amount_fen, reason, state,
       lands_until, success_time, created_at, changed_at)
     select mch_no, 'AR' || number, 'r' || trade_no, 'AP' || number, 'AT' || number, '42' || number, fen, '压测退款', 'SUCCESS',
            ended_at, ended_at, ended_at, ended_at
       from c4 where state = 'REFUND'`,
    [
      batch.from,
      batch.until,
      batch.total,
      batch.begin,
      batch.end,
      merchants,
      keys.map((key) => padOf(key, 0x36)),
      keys.map((key) => padOf(key, 0x5c)),
    ],
  )
}

/** A half of HMAC-SHA256 (RFC 2104): the key, filled up to a block of 64 bytes, xor `byte`. */
const padOf = (key: Buffer, byte: number): Buffer =>
  Buffer.from(Buffer.concat([key, Buffer.alloc(64 - key.length)]).map((one) => one ^ byte))

/** Updates the planner's statistics after so many new rows. */
export async function analyzeLoad(db: Db): Promise<void> {
  await db.query('vacuum analyze orders, timeline, attempt, payment, refund')
}

/**
 * The overview's figures of hours from `since` on count as not counted: an hour that is over is counted once, and these have new
 * orders. Figures stay on the overview until a gateway counts again.
 */
export async function countLoadHours(db: Db, since: Date): Promise<void> {
  await run(db, 'countLoadHours', 'update order_hour set counted_at = hour_at where hour_at >= $1', [since])
  await run(
    db,
    'countLoadFigures',
    `update figure set counted_at = begins_at where span = 'hour' and begins_at >= $1`,
    [since],
  )
}
