/** Adds a note to an order, and sets its tags. Neither changes the order, its timeline or its money. */
import { addOrderNote, setOrderTags } from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

/** An order has no more notes than this; the page shows all of them. */
export const NOTES_MAX = 100

type OfOrder = { mchNo: string; transactionNo: string }

/** False where the order has too many already. */
export async function noteOnOrder(
  world: World,
  order: OfOrder,
  { note, forMerchant, by }: { note: string; forMerchant: boolean; by: string },
): Promise<boolean> {
  const at = world.now()
  const noteNo = platformNumber('ON', at, world.newDigits(19))
  return addOrderNote(world.pool, order, { noteNo, at, username: by, forMerchant, note }, NOTES_MAX)
}

export const tagOrder = (world: World, order: OfOrder, { tags, by }: { tags: string[]; by: string }): Promise<void> =>
  setOrderTags(world.pool, order, { tags, at: world.now(), username: by })
