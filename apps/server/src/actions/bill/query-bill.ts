/** Says whether the bill of a merchant's day can be fetched, and plans one that is missing. */
import { billRange, isBillComplete } from '@acopay/core'
import { type BillKey, findBill, hasBillRows, planBill } from '@acopay/store'
import type { World } from '../../world.ts'

export type QueriedBill =
  | { kind: 'out_of_range'; first: string; last: string }
  | { kind: 'ready'; sha256: string | null }
  /** The day is not complete yet, or the bill is being made: ask again later. */
  | { kind: 'not_yet' }
  /** Nothing happened on that day. */
  | { kind: 'none' }

export async function queryBill(world: World, { mchNo, day }: BillKey): Promise<QueriedBill> {
  const now = world.now()
  const { first, last } = billRange(now.getTime())
  if (day < first || day > last) return { kind: 'out_of_range', first, last }
  const bill = await findBill(world.pool, { mchNo, day })
  if (bill?.fileNo != null) return { kind: 'ready', sha256: bill.sha256 }
  if (!isBillComplete(day, now.getTime())) return { kind: 'not_yet' }
  if (bill !== null || !(await hasBillRows(world.pool, { mchNo, day }))) return { kind: 'none' }
  await planBill(world.pool, { mchNo, day }, now)
  return { kind: 'not_yet' }
}
