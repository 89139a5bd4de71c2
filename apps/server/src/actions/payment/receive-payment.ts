/** Books money that an upstream says it took: kept, or on its way back. The table decides; it never refuses money. */
import type { UpstreamPayment } from '@acopay/channels'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'

/** `isReturned`: the upstream says too that all of it has gone back, by its own doing or the merchant's back office's. */
export async function receivePayment(
  world: World,
  told: { mchNo: string; transactionNo: string; attemptNo: string; payment: UpstreamPayment; isReturned?: boolean },
): Promise<void> {
  const { mchNo, transactionNo, attemptNo, payment, isReturned = false } = told
  const key = { mchNo, ref: { transactionNo } }
  const changed = await changeOrder(world, key, { event: 'money_arrived', attemptNo, payment, isReturned })
  if (changed.kind !== 'answered' || !changed.steps.some(({ event }) => event === 'money_returned')) return
  const { paymentNo } = payment
  world.log.error({ mchNo, transactionNo, attemptNo, paymentNo, alarm: true }, 'a kept payment was sent back upstream')
}
