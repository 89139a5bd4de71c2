/** Reads a page of a merchant's orders. */
import { stateAt } from '@acopay/core'
import { type Looked, listMerchantsOrders, type MerchantsOrder, type MerchantsOrderFilter } from '@acopay/store'
import type { World } from '../../world.ts'
import { snapshotOf } from './change-order.ts'

/** The orders with their states as of now, like `queryOrder`. */
export async function listOrders(
  world: World,
  mchNo: string,
  filter: MerchantsOrderFilter,
  limit: number,
): Promise<Looked<MerchantsOrder>> {
  const now = world.sureNow()
  const found = await listMerchantsOrders(world.pool, mchNo, filter, { limit, now })
  const rows = found.rows.map((order) => ({ ...order, ...stateAt(snapshotOf(order), now.getTime()) }))
  return { ...found, rows }
}
