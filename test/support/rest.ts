/** After a storm: waits for rest, then compares our books with the upstreams' and with the answers that merchants got. */
import type { Pool } from '@acopay/store'
import { expect } from 'vitest'
import { expectInvariants, type Taken } from './invariants.ts'
import type { Told } from './receiver.ts'

export type After = {
  mchNo: string
  /** What the upstreams' own books say. */
  taken: () => Promise<Taken[]>
  /** Orders whose close was answered with SUCCESS. */
  toldClosed: ReadonlySet<string>
  /** Notifications the merchant received. */
  told: () => Told[]
}

export type Sums = { orders: number; takenFen: number; keptFen: number; returnedFen: number }

/** The watch finds a payment without a webhook a minute after the close; the longest pause before a retry is 375 s. */
const REST_MS = 420_000

export async function expectAllIsWell(pool: Pool, { mchNo, taken, toldClosed, told }: After): Promise<Sums> {
  await expect
    .poll(async () => [...(await underWay(pool)), ...(await unbooked(pool, await taken()))], {
      timeout: REST_MS,
      interval: 1000,
    })
    .toEqual([])
  const money = await taken()
  await expectInvariants(pool, mchNo, money)

  const { rows: closed } = await pool.query<{ no: string }>(
    `select transaction_no as no from orders where state = 'CLOSED'`,
  )
  const isClosed = new Set(closed.map(({ no }) => no))
  expect(
    [...toldClosed].filter((order) => !isClosed.has(order)),
    'I3 an order whose close was answered with SUCCESS is CLOSED',
  ).toEqual([])

  const sum = (read: (one: Taken) => number): number => money.reduce((total, one) => total + read(one), 0)
  const [takenFen, returnedFen] = [sum((one) => one.takenFen), sum((one) => one.returnedFen)]
  const { rows } = await pool.query<{ orders: string; kept: string }>(
    `select (select count(*) from orders) as orders,
            (select coalesce(sum(amount_fen), 0) from payment where fate = 'keep')
              - (select coalesce(sum(amount_fen), 0) from refund where state = 'SUCCESS')
              - (select coalesce(sum(r.amount_fen), 0) from reversal r join payment p using (mch_no, attempt_no, payment_no)
                  where p.fate = 'keep') as kept`,
  )
  const [orders, keptFen] = [Number(rows[0]?.orders), Number(rows[0]?.kept)]
  expect(keptFen + returnedFen, 'kept plus sent back is what was taken').toBe(takenFen)
  expect(takenFen).toBeGreaterThan(0)

  const { rows: paid } = await pool.query<{ no: string }>(
    'select transaction_no as no from orders where success_time is not null',
  )
  expect(
    new Set(told().map(({ transaction_no }) => transaction_no)),
    'the merchant is notified of every paid order',
  ).toEqual(new Set(paid.map(({ no }) => no)))
  return { orders, takenFen, keptFen, returnedFen }
}

async function underWay(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ what: string }>(
    `select 'job ' || kind || ' tries ' || tries as what from job where kind <> 'watch_attempt'
     union all select 'order ' || state from orders where state in ('CLOSING', 'NOTPAY')
     union all select 'attempt of ' || channel || ' ' || state from attempt where state = 'OPENING'
     union all select 'notification tries ' || tries from notification where state = 'PENDING'`,
  )
  return rows.map(({ what }) => what)
}

async function unbooked(pool: Pool, taken: Taken[]): Promise<string[]> {
  const { rows } = await pool.query<{ no: string }>('select attempt_no as no from payment')
  const booked = new Set(rows.map(({ no }) => no))
  return taken.filter(({ no, takenFen }) => takenFen > 0 && !booked.has(no)).map(({ no }) => no)
}
