/** Closes orders while something happens to the database, and holds every acknowledged close against the books afterwards. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '@acopay/store'
import type { DemoSettings } from '../../../apps/server/src/sandbox/demo-merchant.ts'
import { close, place } from '../merchant.ts'

export type Event = {
  /** After so many acknowledged closes. */
  after: number
  happen: () => Promise<void>
}

export type Closes = {
  acknowledged: string[]
  orders: string[]
  /** The longest time without an acknowledged close. */
  gapMs: number
  /** What else was answered, and how often. */
  others: Record<string, number>
}

const LANES = 8
const AGAIN_MS = 100
const ANSWER_MS = 15_000

/** Every order is asked for until its close is acknowledged, or `deadlineMs` is over. */
export async function closesDuring(
  demo: DemoSettings,
  orders: string[],
  { event, deadlineMs }: { event: Event; deadlineMs: number },
): Promise<Closes> {
  const waiting = [...orders]
  const acknowledged: string[] = []
  const others: Record<string, number> = {}
  const begunAt = performance.now()
  let lastAt = begunAt
  let gapMs = 0
  let happening: Promise<void> | null = null

  function heard(order: string): void {
    acknowledged.push(order)
    const now = performance.now()
    gapMs = Math.max(gapMs, now - lastAt)
    lastAt = now
    if (acknowledged.length === event.after) happening = event.happen()
  }

  async function ask(order: string): Promise<void> {
    const said = await answered(demo, order)
    if (said === 'SUCCESS') return heard(order)
    others[said] = (others[said] ?? 0) + 1
    waiting.push(order)
    await pause(AGAIN_MS)
  }

  const lanes = Array.from({ length: LANES }, async () => {
    while (performance.now() - begunAt < deadlineMs) {
      const order = waiting.shift()
      if (order !== undefined) await ask(order)
      else if (acknowledged.length === orders.length) return
      else await pause(AGAIN_MS)
    }
  })
  await Promise.all(lanes)
  await happening
  return { acknowledged, orders, gapMs, others }
}

/** `SUCCESS`, or what came instead, in a few words. */
async function answered(demo: DemoSettings, order: string): Promise<string> {
  const late = pause(ANSWER_MS).then(() => `no answer in ${ANSWER_MS / 1000} s`)
  const asked = close(demo, order).then(
    ({ status, data }) => (data.code === 'SUCCESS' ? 'SUCCESS' : `status ${status} ${data.code ?? ''}`.trim()),
    (error: Error & { cause?: { code?: string } }) => error.cause?.code ?? error.message,
  )
  return Promise.race([asked, late])
}

/** Ten at once. */
export async function placeOrders(demo: DemoSettings, count: number): Promise<string[]> {
  const orders: string[] = []
  while (orders.length < count) {
    const some = Math.min(10, count - orders.length)
    orders.push(...(await Promise.all(Array.from({ length: some }, () => place(demo)))))
  }
  return orders
}

/** Of the acknowledged closes, those of which the books do not know. */
export async function lostOf(pool: Pool, acknowledged: string[]): Promise<string[]> {
  const { rows } = await pool.query<{ no: string }>(
    `select transaction_no as no from orders where transaction_no = any ($1) and state = 'CLOSED'`,
    [acknowledged],
  )
  const closed = new Set(rows.map(({ no }) => no))
  return acknowledged.filter((order) => !closed.has(order))
}
