/** A reversal wherever its rows are: with its order in the tables, or of an order that is archived. */
import { findArchivedReversal, finishArchivedReversal, renumberArchivedReversal } from '../archive/archived-payments.ts'
import type { Db } from '../db.ts'
import { findReversal, finishReversal, type Reversal, renumberReversal } from './payments.ts'

export type PlacedReversal = Reversal & { table: 'reversal' | 'archived_reversal' }

export async function findAnyReversal(db: Db, mchNo: string, refundNo: string): Promise<PlacedReversal | null> {
  const reversal = await findReversal(db, mchNo, refundNo)
  if (reversal !== null) return { ...reversal, table: 'reversal' }
  const archived = await findArchivedReversal(db, mchNo, refundNo)
  return archived === null ? null : { ...archived, table: 'archived_reversal' }
}

type Place = Pick<PlacedReversal, 'mchNo' | 'refundNo' | 'table'>

/** Writes that the money is back. False when that was written before, or when its rows were moved since the caller read them. */
export const finishAnyReversal = (
  db: Db,
  reversal: Place & Pick<Reversal, 'byUpstream'>,
  now: Date,
): Promise<boolean> => (reversal.table === 'reversal' ? finishReversal : finishArchivedReversal)(db, reversal, now)

/** Sets the number under which the upstream is asked from now on. */
export async function renumberAnyReversal(db: Db, reversal: Place, upstreamNo: string): Promise<void> {
  await (reversal.table === 'reversal' ? renumberReversal : renumberArchivedReversal)(db, reversal, upstreamNo)
}
