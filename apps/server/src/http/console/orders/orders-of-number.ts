/** Orders by a number or a part of it: by the whole of any of their numbers, else by its beginning, else by the end of a payment's. */
import { findOrdersByBeginning, findOrdersByNumber, findOrdersByPaymentEnd, type ListedOrder } from '@acopay/store/read'
import type { World } from '../../../world.ts'

/** Shorter parts would find too much to be of use. */
const PART_MIN = 6
const NUMBER = /^[\w-]+$/

export async function ordersOfNumber(
  { pool }: Pick<World, 'pool'>,
  number: string,
  mchNo: string | null,
  limit: number,
): Promise<ListedOrder[]> {
  const whole = await findOrdersByNumber(pool, number, mchNo, limit)
  if (whole.length > 0 || number.length < PART_MIN || !NUMBER.test(number)) return whole
  const begun = await findOrdersByBeginning(pool, number, mchNo, limit)
  // People leave the letters away: 20260301… is the beginning of AP20260301…
  if (begun.length === 0 && /^20\d+$/.test(number))
    begun.push(...(await findOrdersByBeginning(pool, `AP${number}`, mchNo, limit)))
  return begun.length > 0 ? begun : findOrdersByPaymentEnd(pool, number, mchNo, limit)
}
