/** Which merchants' calls may share a statement: all on one PostgreSQL; on a Citus those whose rows lie in one shard. */
import { type GroupOf, isSpread, type Pool, readAnswering, readCluster, readPlaces } from '@acopay/store'
import type { OverAll, World } from '../world.ts'
import { listsInReach } from './merchants-in-reach.ts'

/** Shards are moved without a new number, but they may be split by hand: then merchants part that lay together. */
const FORGOTTEN_AFTER_MS = 60_000
const KNOWN_MAX = 100_000

type Place = { mchNo: string; place: string }

/** `steadyMs`: a clock that only goes ahead. */
export async function merchantsOf(
  pool: Pool,
  steadyMs: () => number,
  log: World['log'],
): Promise<{ groupOf?: GroupOf; overAll?: OverAll }> {
  const cluster = await readCluster(pool)
  if (cluster === null || !isSpread(cluster)) return {}
  const groupOf = learningGroups((mchNos) => readPlaces(pool, mchNos), steadyMs)
  return { groupOf, overAll: listsInReach({ read: () => readAnswering(pool), steadyMs, log, groupOf }) }
}

/** A merchant whose place is not known yet is a group by itself, which is always right; its place is asked for meanwhile. */
export function learningGroups(read: (mchNos: string[]) => Promise<Place[]>, steadyMs: () => number): GroupOf {
  const known = new Map<string, string>()
  const unknown = new Set<string>()
  let isAsking = false
  let sinceMs = steadyMs()

  async function learn(): Promise<void> {
    isAsking = true
    const asked = [...unknown]
    unknown.clear()
    // Where it cannot be read, they stay alone, and are asked for again by their next calls.
    const places = await read(asked).catch(() => [])
    for (const { mchNo, place } of places) known.set(mchNo, `shard ${place}`)
    isAsking = false
  }

  return (mchNo) => {
    if (steadyMs() - sinceMs >= FORGOTTEN_AFTER_MS || known.size > KNOWN_MAX) {
      known.clear()
      sinceMs = steadyMs()
    }
    const place = known.get(mchNo)
    if (place !== undefined) return place
    unknown.add(mchNo)
    if (!isAsking) void learn()
    return mchNo
  }
}
