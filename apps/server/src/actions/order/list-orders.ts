/** Reads a page of a merchant's orders. */
import { stateAt } from '@acopay/core'
import { listMerchantsOrders, type MerchantsOrder, type MerchantsOrderFilter } from '@acopay/store'
import type { World } from '../../world.ts'
import { snapshotOf } from './change-order.ts'

/** The orders with their states as of now, like `queryOrder`; at most `limit`. */
export async function listOrders(
  world: World,
  mchNo: string,
  filter: MerchantsOrderFilter,
  limit: number,
): Promise<MerchantsOrder[]> {
  const now = world.sureNow()
  const orders = await listMerchantsOrders(world.pool, mchNo, filter, { limit, now })
  return orders.map((order) => ({ ...order, ...stateAt(snapshotOf(order), now.getTime()) }))
}
