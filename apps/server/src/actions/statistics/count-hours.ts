/** Counts the overview's hours: those that are young again and again, the others once. */

import { retried } from '@acopay/store'
import { countedHours, countHour } from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

const HOUR_MS = 3_600_000
/** What the overview shows. */
export const HOURS_KEPT = 31 * 24
/** Whatever was being written when an hour ended is written by then: statements give up long before. */
const SETTLED_MS = 10 * 60_000

/** The newest first; stops between two hours when told to. How many were counted. */
export async function countHourlyFigures(world: World, stopping?: AbortSignal): Promise<number> {
  const now = world.now()
  const newestMs = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS
  const oldestMs = newestMs - (HOURS_KEPT - 1) * HOUR_MS
  const counted = new Map(
    (await countedHours(world.pool, new Date(oldestMs))).map(({ hourAt, countedAt }) => [+hourAt, +countedAt]),
  )
  let count = 0
  for (let beginMs = newestMs; beginMs >= oldestMs && stopping?.aborted !== true; beginMs -= HOUR_MS) {
    const endMs = beginMs + HOUR_MS
    if ((counted.get(beginMs) ?? 0) >= endMs + SETTLED_MS) continue
    const [begin, end] = [new Date(beginMs), new Date(endMs)]
    const numbers = { from: platformNumber('AP', begin, ''), until: platformNumber('AP', end, '') }
    await retried(() => countHour(world.pool, { begin, end, numbers }, now))
    count += 1
  }
  return count
}
