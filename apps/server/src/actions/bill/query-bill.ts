/** Returns whether a merchant can fetch the bill of a day, and writes the job that makes a missing one. */
import { billRange, isBillComplete } from '@acopay/core'
import { type BillKey, findBill, hasBillRows, planBill } from '@acopay/store'
import type { World } from '../../world.ts'

export type QueriedBill =
  | { kind: 'out_of_range'; first: string; last: string }
  | { kind: 'ready'; sha256: string | null }
  /** The day is not complete yet, or the bill is being made: the merchant asks again later. */
  | { kind: 'not_yet' }
  /** The day has no rows. */
  | { kind: 'none' }

export async function queryBill(world: World, { mchNo, day }: BillKey): Promise<QueriedBill> {
  const now = world.now()
  const { first, last } = billRange(now.getTime())
  if (day < first || day > last) return { kind: 'out_of_range', first, last }
  const bill = await findBill(world.pool, { mchNo, day })
  if (bill?.fileNo != null) return { kind: 'ready', sha256: bill.sha256 }
  if (!isBillComplete(day, world.sureNow().getTime())) return { kind: 'not_yet' }
  if (bill !== null || !(await hasBillRows(world.pool, { mchNo, day }))) return { kind: 'none' }
  await planBill(world.pool, { mchNo, day }, now)
  return { kind: 'not_yet' }
}
