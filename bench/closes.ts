/** Orders, and closes of them that are signed before they are timed. */
import type { Pool } from '@acopay/store'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { place, type Request, signedRequest } from '../test/support/merchant.ts'

const PLACING_AT_ONCE = 32

/** An order, and the merchant who may close it. */
export type Placed = { of: DemoSettings; transactionNo: string }

/** Places the orders with these merchants in turn. */
export async function placeOrders(merchants: DemoSettings[], count: number): Promise<Placed[]> {
  const orders: Placed[] = []
  while (orders.length < count) {
    const some = Array.from({ length: Math.min(PLACING_AT_ONCE, count - orders.length) }, (_, index) => index)
    const placed = some.map(async (index) => {
      const of = merchants[(orders.length + index) % merchants.length] as DemoSettings
      return { of, transactionNo: await place(of) }
    })
    orders.push(...(await Promise.all(placed)))
  }
  return orders
}

/** Adds so many merchants who sign with the demo merchant's key. */
export async function addMerchants(db: Pool, demo: DemoSettings, count: number): Promise<DemoSettings[]> {
  const of = `select 'BENCH' || n as mch_no from generate_series(1, $1::int) n`
  await db.query(
    `insert into merchant (mch_no, name, created_at) select mch_no, 'bench', now() from (${of}) m on conflict do nothing`,
    [count],
  )
  await db.query(
    `insert into app (mch_no, app_no, name, created_at)
     select m.mch_no, a.app_no, 'bench', now() from (${of}) m, app a where a.mch_no = $2 and a.app_no = $3
     on conflict do nothing`,
    [count, demo.mchNo, demo.appNo],
  )
  await db.query(
    `insert into merchant_key (mch_no, key_id, public_key, valid_from)
     select m.mch_no, k.key_id, k.public_key, k.valid_from from (${of}) m, merchant_key k where k.mch_no = $2
     on conflict do nothing`,
    [count, demo.mchNo],
  )
  return Array.from({ length: count }, (_, index) => ({ ...demo, mchNo: `BENCH${index + 1}` }))
}

/** The bytes of a signed close. */
export const closeRequest = ({ of, transactionNo: transaction_no }: Placed): Promise<Buffer> =>
  signedBytes(of, { method: 'POST', path: 'close', params: { transaction_no } })

/** The bytes of a signed request, ready to send. */
export async function signedBytes(of: DemoSettings, request: Request): Promise<Buffer> {
  const { url, method, headers, body } = await signedRequest(of, request)
  return requestBytes(method, url, { headers, body: String(body ?? '') })
}

/** The bytes of a request over HTTP/1.1. */
export function requestBytes(
  method: string,
  url: URL,
  { headers = {}, body = '' }: { headers?: Record<string, string>; body?: string },
): Buffer {
  const lines = Object.entries({ host: url.host, ...headers, 'content-length': String(Buffer.byteLength(body)) })
  const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')
  return Buffer.from(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${head}\r\n\r\n${body}`)
}

export { quantile } from './figures/quantile.ts'
