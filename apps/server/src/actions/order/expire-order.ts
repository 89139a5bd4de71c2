/** Closes an order whose time is up. What it opened upstream is shut by the job that this writes. */
import type { World } from '../../world.ts'
import { changeOrder } from './change-order.ts'

export async function expireOrder(world: World, key: { mchNo: string; transactionNo: string }): Promise<void> {
  const { mchNo, transactionNo } = key
  await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'expired' })
}
