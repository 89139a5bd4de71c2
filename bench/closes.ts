/** Orders, and closes of them that are signed before they are timed. */
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { place, signedRequest } from '../test/support/merchant.ts'

const PLACING_AT_ONCE = 32

export async function placeOrders(demo: DemoSettings, count: number): Promise<string[]> {
  const orders: string[] = []
  while (orders.length < count) {
    const left = Math.min(PLACING_AT_ONCE, count - orders.length)
    orders.push(...(await Promise.all(Array.from({ length: left }, () => place(demo)))))
  }
  return orders
}

/** The bytes of a signed close. */
export async function closeRequest(demo: DemoSettings, transaction_no: string): Promise<Buffer> {
  const { url, headers, body } = await signedRequest(demo, {
    method: 'POST',
    path: 'close',
    params: { transaction_no },
  })
  const lines = Object.entries({ host: url.host, ...headers, 'content-length': Buffer.byteLength(body ?? '') })
  const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')
  return Buffer.from(`POST ${url.pathname} HTTP/1.1\r\n${head}\r\n\r\n${body}`)
}

/** `share` 0.99: the value that 99 of 100 do not exceed. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN
}
