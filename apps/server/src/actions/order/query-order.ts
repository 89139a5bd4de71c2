/** Reads an order for a merchant (spec/protocol.md 3.3). */
import { type OrderRef, stateAt } from '@acopay/core'
import { findOrder, type Order } from '@acopay/store'
import type { World } from '../../world.ts'
import { snapshotOf } from './change-order.ts'

/**
 * The order with its state as of now: an expiry that has passed counts also before a job has written it. Null when there is
 * no such order.
 */
export async function queryOrder(world: World, ask: { mchNo: string; ref: OrderRef }): Promise<Order | null> {
  const order = await findOrder(world.pool, ask.mchNo, ask.ref)
  return order === null ? null : { ...order, ...stateAt(snapshotOf(order), world.sureNow().getTime()) }
}
