/** Orders whose time is over, and how long it takes until the gateways have written them down as expired. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Pool } from '@acopay/store'
import type { Placed } from '../closes.ts'
import type { Done } from './lanes.ts'

const LOOK_MS = 50
const GIVE_UP_MS = 600_000

/** They all lapse in one moment: the moment at which the measurement begins. */
export const swept = (pool: Pool, orders: Placed[]) => async (): Promise<Done> => {
  const numbers = orders.map(({ transactionNo }) => transactionNo)
  await pool.query(
    `update orders set time_expire = now() - interval '1 second' where transaction_no = any($1::text[])`,
    [numbers],
  )
  const start = performance.now()
  while (await isLeft(pool)) {
    if (performance.now() - start > GIVE_UP_MS) throw new Error('lapsed orders stayed open')
    await pause(LOOK_MS)
  }
  return { count: orders.length, seconds: (performance.now() - start) / 1000, millis: [], bytes: 0 }
}

async function isLeft(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ is: boolean }>(
    `select exists (select from orders where state = 'NOTPAY' and time_expire < now()) as is`,
  )
  return rows[0]?.is ?? false
}
