/** Closes an order past its expiry. If it has attempts, this writes the job that closes them upstream. */
import type { World } from '../../world.ts'
import { changeOrder } from './change-order.ts'

export async function expireOrder(world: World, key: { mchNo: string; transactionNo: string }): Promise<void> {
  const { mchNo, transactionNo } = key
  await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'expired' })
}
