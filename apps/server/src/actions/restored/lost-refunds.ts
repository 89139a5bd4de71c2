/**
 * Refunds that were made before the database was set back, and that the books have lost. A merchant who heard no end of one asks for
 * it again, under the same number; ours is another one then, and a part of a payment would go back twice. So a refund of a payment
 * from before the restore waits until the upstream's bills of the lost days have been compared: they list what was made.
 */
import { DAY_MS, dayOf, upstreamBillDays } from '@acopay/core'
import { comparedDays, type FoundRefund, lostTimeOfRefund, unknownRefunds } from '@acopay/store'
import { isRefundNumberOf, ownRefundNo } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

export type Twin = 'none' | 'not known yet' | { refundNo: string }

/** The same refund, made before the restore. */
export async function twinOf(world: World, refund: FoundRefund): Promise<Twin> {
  const { mchNo, channel } = refund
  const lost = await lostTimeOfRefund(world.pool, refund)
  if (lost === null) return 'none'
  // Bills of older days are not fetched any more.
  const [oldest = ''] = upstreamBillDays(world.now().getTime()).toSorted()
  const days = daysOf(lost).filter((day) => day >= oldest)
  const compared = await comparedDays(world.pool, { mchNo, channel, days })
  if (compared.length < days.length) return 'not known yet'
  const made = await unknownRefunds(world.pool, refund)
  const refundNo = made.find((one) => isRefundNumberOf(world.keyedDigits, ownRefundNo(one), refund))
  return refundNo === undefined ? 'none' : { refundNo }
}

function daysOf({ restoredTo, beganAt }: { restoredTo: Date; beganAt: Date }): string[] {
  const days: string[] = []
  for (let ms = restoredTo.getTime(); dayOf(ms) <= dayOf(beganAt.getTime()); ms += DAY_MS) days.push(dayOf(ms))
  return days
}
