/**
 * Books a payment that an upstream has reported. The order's table decides whether it is kept or sent back; it never
 * refuses one.
 */
import type { UpstreamPayment } from '@acopay/channels'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import { findKnownAttempt } from '../restored/lost-attempts.ts'
import { type Arrived, receiveArchivedPayment } from './archived-payment.ts'

/** `isReturned`: the upstream also reports that the whole payment was returned outside. False: the order was archived meanwhile. */
export async function receivePayment(
  world: World,
  received: { mchNo: string; transactionNo: string; attemptNo: string; payment: UpstreamPayment; isReturned?: boolean },
): Promise<boolean> {
  const { mchNo, transactionNo, attemptNo, payment, isReturned = false } = received
  const key = { mchNo, ref: { transactionNo } }
  const changed = await changeOrder(world, key, { event: 'money_arrived', attemptNo, payment, isReturned })
  if (changed.kind !== 'answered') return false
  if (!changed.steps.some(({ event }) => event === 'money_returned')) return true
  const { paymentNo } = payment
  world.log.error({ mchNo, transactionNo, attemptNo, paymentNo, alarm: true }, 'a kept payment was sent back upstream')
  return true
}

/** An order may be archived, or brought back, between a look and what follows from it. */
const LOOKS = 2

/**
 * Books a payment of which only the attempt is known: by its order, or where that is archived. Null where there is no such attempt.
 */
export async function receiveByAttempt(world: World, arrived: Arrived): Promise<{ transactionNo: string } | null> {
  for (let look = 1; look <= LOOKS; look += 1) {
    const attempt = await findKnownAttempt(world, arrived)
    if (attempt !== null && attempt.channel !== arrived.channel) return null
    if (attempt === null) {
      const archived = await receiveArchivedPayment(world, arrived)
      if (archived !== null) return archived
    } else if (await receivePayment(world, { ...arrived, transactionNo: attempt.transactionNo })) return attempt
  }
  return null
}
