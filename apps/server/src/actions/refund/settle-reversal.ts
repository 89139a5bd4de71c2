/**
 * A reversal that the upstream refuses, and that the operator has made by hand, in the upstream's own pages or through a
 * bank: the books say so, and the gateway stops asking.
 */
import { finishReversal, noteAnswers, type OrderKey, removeJob, transaction } from '@acopay/store'
import type { World } from '../../world.ts'

/** False when the money is back already, or there is no such reversal. */
export const settleReversal = (
  world: World,
  { mchNo, refundNo, by, note }: Pick<OrderKey, 'mchNo'> & { refundNo: string; by: string; note: string },
): Promise<boolean> =>
  transaction(world.pool, async (db) => {
    const now = world.now()
    // Not by our number, so that no bill of the upstream's is searched for it.
    if (!(await finishReversal(db, { mchNo, refundNo, byUpstream: true }, now))) return false
    const answers = [{ no: refundNo, text: `by hand: ${note} (${by})` }]
    await noteAnswers(db, { table: 'reversal', mchNo, answers, now })
    await removeJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo })
    return true
  })
