/** Notifications of paid orders, written as the gateway writes them, and the time until shops have heard them all. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '@acopay/store'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import type { Stack } from '../stack/stack.ts'
import type { Done } from './lanes.ts'

const LOOK_MS = 20
const GIVE_UP_MS = 600_000

const NEWS = {
  ...{ transaction_no: 'AP', mch_trade_no: 'mp', extra: null, code: 'SUCCESS', description: '支付成功' },
  ...{ amount_total: '12.50', amount_currency: 'CNY', success_time: '2026-01-31T08:00:00+08:00', acoid: 'payer' },
}

/** One merchant has one shop, many have several. */
export async function told(
  { database: { pool }, outside }: Stack,
  merchants: DemoSettings[],
  count: number,
): Promise<() => Promise<Done>> {
  const bytesOfOne = await writtenBytes(merchants)
  return async () => {
    const until = (await outside.arrived()) + count
    await written(pool, merchants, { count, shops: merchants.length === 1 ? outside.shops.slice(0, 1) : outside.shops })
    const start = performance.now()
    const before = await outside.arrived()
    while ((await outside.arrived()) < until) {
      if (performance.now() - start > GIVE_UP_MS) throw new Error('notifications did not arrive')
      await pause(LOOK_MS)
    }
    const seconds = (performance.now() - start) / 1000
    return { count: until - before, seconds, millis: [], bytes: bytesOfOne * (until - before) }
  }
}

const newsOf = ({ appNo, mchNo }: DemoSettings): string => JSON.stringify({ ...NEWS, app_no: appNo, mch_no: mchNo })

/** What the news takes; the signature and the heads, some 900 bytes more, are not seen from here. */
const writtenBytes = async ([first]: DemoSettings[]): Promise<number> =>
  first === undefined ? 0 : Buffer.byteLength(newsOf(first))

async function written(
  pool: Pool,
  merchants: DemoSettings[],
  { count, shops }: { count: number; shops: string[] },
): Promise<void> {
  await pool.query(
    `with n as (
       select ($3::text[])[1 + g % cardinality($3::text[])] as mch_no, ($4::text[])[1 + g % cardinality($4::text[])] as news,
              ($2::text[])[1 + g % cardinality($2::text[])] as url,
              'AP' || lpad(((select count(*) from orders) + g)::text, 36, '0') as no
         from generate_series(1, $1::integer) g),
     placed as (
       insert into orders (mch_no, transaction_no, app_no, mch_trade_no, description, amount_fen, currency, time_expire,
         state, success_time, head_seq, head_hash, created_at, changed_at)
       select mch_no, no, $5, no, 'x', 1250, 'CNY', now(), 'SUCCESS', now(), 1, '', now(), now() from n),
     entries as (
       insert into timeline (mch_no, transaction_no, seq, at, entry, hash) select mch_no, no, 1, now(), '{}', '' from n)
     insert into notification (mch_no, transaction_no, seq, kind, url, host, news, state, due_at, round_at, created_at)
     select mch_no, no, 1, 'payment', url, split_part(split_part(url, '//', 2), '/', 1), news, 'PENDING', now(), now(), now() from n`,
    [count, shops, merchants.map(({ mchNo }) => mchNo), merchants.map(newsOf), merchants[0]?.appNo],
  )
}
