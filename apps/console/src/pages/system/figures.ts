/** What the overview makes of the volumes of a time. */
import type { Volume } from '@acopay/protocol/console'

type Counts = Pick<Volume, 'paid' | 'closed_by_merchant' | 'closed_by_expiry' | 'closed_by_operator'>

export const closed = (of: Counts): number => of.closed_by_merchant + of.closed_by_expiry + of.closed_by_operator

/** The share of paid orders among those that have ended. */
export function successRate(of: Counts): string {
  const ended = of.paid + closed(of)
  return ended === 0 ? '—' : `${((100 * of.paid) / ended).toFixed(1)}%`
}
