/** An operator settles a difference or an unmatched payment by hand. */
import { contestRefund, transaction } from '@acopay/store'
import {
  type DifferenceKey,
  settleDifference as settleDifferenceRow,
  settleUnmatched as settleUnmatchedRow,
  type UnmatchedKey,
} from '@acopay/store/console'
import type { World } from '../../world.ts'

type By = { username: string; note: string }

/** False when there is no such difference, or it is settled already. */
export const settleDifference = (world: World, key: DifferenceKey, by: By): Promise<boolean> =>
  transaction(world.pool, async (db) => {
    const isSettled = await settleDifferenceRow(db, key, by, world.now())
    // The operator has found out that the refund failed after all: its amount can be refunded again.
    if (isSettled && key.kind === 'REFUND_DONE_THOUGH_FAILED') await contestRefund(db, key, null)
    return isSettled
  })

/** False when there is no such payment, or it is settled already. */
export const settleUnmatched = (world: World, key: UnmatchedKey, by: By): Promise<boolean> =>
  settleUnmatchedRow(world.pool, key, by, world.now())
