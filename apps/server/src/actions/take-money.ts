/** Books money that an upstream says it took: kept, or on its way back. The table decides; it never refuses money. */
import type { UpstreamPayment } from '@acopay/channels'
import type { World } from '../world.ts'
import { type Changed, changeOrder } from './change-order.ts'

export const takeMoney = (
  world: World,
  told: { mchNo: string; transactionNo: string; attemptNo: string; payment: UpstreamPayment; isReturned?: boolean },
): Promise<Changed> =>
  changeOrder(
    world,
    { mchNo: told.mchNo, ref: { transactionNo: told.transactionNo } },
    { event: 'money_arrived', attemptNo: told.attemptNo, payment: told.payment, isReturned: told.isReturned ?? false },
  )
