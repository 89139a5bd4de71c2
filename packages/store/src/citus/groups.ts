/** Lists whose members belong to many merchants, cut so that each part lies in one place. */
import { type Db, run } from '../db.ts'
import type { Reach } from './reach.ts'

/**
 * The group of a merchant: only members of one group share a call of a function. One PostgreSQL needs no more than one; where the database is
 * spread by merchant, a group is what lies in one place.
 */
export type GroupOf = (mchNo: string) => string

/** Right everywhere, and as slow as can be. */
export const EACH_ALONE: GroupOf = (mchNo) => mchNo

/** How a list over all merchants is asked for: who shares a call, and whom it goes over. */
export type Spread = { groupOf?: GroupOf; reach?: Reach }

/** The items of each group, in their order. */
export function inGroups<Item extends { mchNo: string }>(items: readonly Item[], groupOf: GroupOf): Item[][] {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const group = groupOf(item.mchNo)
    const own = groups.get(group)
    if (own === undefined) groups.set(group, [item])
    else own.push(item)
  }
  return [...groups.values()]
}

/**
 * Takes what was found, group by group. Where a group fails and others were taken, these are answered: what fails, fails again when it is
 * looked for the next time, and what was taken does not wait for the end of its lease.
 */
export async function takenOfEach<Item extends { mchNo: string }, Taken>(
  groups: Item[][],
  take: (group: Item[], soFar: number) => Promise<Taken[]>,
): Promise<Taken[]> {
  const taken: Taken[] = []
  for (const group of groups) {
    try {
      taken.push(...(await take(group, taken.length)))
    } catch (error) {
      if (taken.length === 0) throw error
      return taken
    }
  }
  return taken
}

/** By which a cluster finds where a list of one group lies: any of its merchants. Empty for an empty list. */
export const whereOf = ([first]: readonly { mchNo: string }[]): string => first?.mchNo ?? ''

/** Where each of these merchants lies in a Citus; asks the coordinator only. */
export const readPlaces = (db: Db, mchNos: string[]): Promise<{ mchNo: string; place: string }[]> =>
  run(
    db,
    'readPlaces',
    `select mch_no as "mchNo", get_shard_id_for_distribution_column('orders', mch_no)::text as place from unnest($1::text[]) as t (mch_no)`,
    [mchNos],
  )
