/** Whether an order's timeline is the one that the gateway wrote. */
import { brokenAt, type Order, type TimelineEntry, unstampedAt } from '@acopay/store'
import { stampedSince } from '../../security/stamps.ts'
import type { World } from '../../world.ts'

/** The number of the first entry that was not written so, or null. `order` is read after the entries, or they are of one moment. */
export async function brokenEntry(
  { pool, stamps }: Pick<World, 'pool' | 'stamps'>,
  order: Pick<Order, 'mchNo' | 'transactionNo' | 'headSeq' | 'headHash'>,
  entries: TimelineEntry[],
): Promise<number | null> {
  const chain = brokenAt(entries, order.mchNo, order.transactionNo, order)
  const stamp = unstampedAt(entries, order, {
    entry: stamps.entry,
    since: await stampedSince(pool, stamps, 'timeline'),
  })
  return chain === null || stamp === null ? (chain ?? stamp) : Math.min(chain, stamp)
}
