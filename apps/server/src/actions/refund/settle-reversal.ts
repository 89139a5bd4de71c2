/**
 * The operator has sent a reversal that the upstream refuses by hand, in the upstream's own pages or through a bank. This marks
 * the reversal as done and ends its job.
 */
import { findAnyReversal, finishAnyReversal, noteAnswers, type OrderKey, removeJob, transaction } from '@acopay/store'
import type { World } from '../../world.ts'
import { tellSentBack } from '../notification/tell-sent-back.ts'

/** False when the reversal is done already or does not exist. */
export const settleReversal = (
  world: World,
  { mchNo, refundNo, by, note }: Pick<OrderKey, 'mchNo'> & { refundNo: string; by: string; note: string },
): Promise<boolean> =>
  transaction(world.pool, async (db) => {
    const now = world.now()
    const reversal = await findAnyReversal(db, mchNo, refundNo)
    // The upstream bill does not have our number, so reconciliation must not look for it.
    if (reversal === null || !(await finishAnyReversal(db, { ...reversal, byUpstream: true }, now))) return false
    await tellSentBack(db, reversal, now)
    const answers = [{ no: refundNo, text: `by hand: ${note} (${by})` }]
    await noteAnswers(db, { table: reversal.table, mchNo, answers, now })
    await removeJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo })
    return true
  })
