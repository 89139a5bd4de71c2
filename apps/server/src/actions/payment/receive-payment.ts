/**
 * Books a payment that an upstream has reported. The order's table decides whether it is kept or sent back; it never
 * refuses one.
 */
import type { UpstreamPayment } from '@acopay/channels'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'

/** `isReturned`: the upstream also reports that the whole payment was returned outside. */
export async function receivePayment(
  world: World,
  received: { mchNo: string; transactionNo: string; attemptNo: string; payment: UpstreamPayment; isReturned?: boolean },
): Promise<void> {
  const { mchNo, transactionNo, attemptNo, payment, isReturned = false } = received
  const key = { mchNo, ref: { transactionNo } }
  const changed = await changeOrder(world, key, { event: 'money_arrived', attemptNo, payment, isReturned })
  if (changed.kind !== 'answered' || !changed.steps.some(({ event }) => event === 'money_returned')) return
  const { paymentNo } = payment
  world.log.error({ mchNo, transactionNo, attemptNo, paymentNo, alarm: true }, 'a kept payment was sent back upstream')
}
