/** Reads an order as a merchant may see it (spec/protocol.md 3.3). Changes nothing. */
import { type OrderRef, stateAt } from '@acopay/core'
import { findOrder, type Order } from '@acopay/store'
import type { World } from '../../world.ts'
import { snapshotOf } from './change-order.ts'

/** The order, expired from its moment on whether or not a job has written it down; null when there is none. */
export async function queryOrder(world: World, ask: { mchNo: string; ref: OrderRef }): Promise<Order | null> {
  const order = await findOrder(world.pool, ask.mchNo, ask.ref)
  return order === null ? null : { ...order, ...stateAt(snapshotOf(order), world.now().getTime()) }
}
