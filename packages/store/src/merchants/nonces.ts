/**
 * Nonces of signed requests. The protocol signs neither a time nor the name of the call, so a request that changes something
 * needs a nonce that no request had before it.
 */
import { EACH_ALONE, inGroups, type Spread, whereOf } from '../citus/groups.ts'
import { runOver } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'

/** Records a nonce. False when this merchant used it before. Call it in the transaction of the change. */
export async function useNonce(db: Db, use: { mchNo: string; nonce: string; now: Date }): Promise<boolean> {
  const rows = await run(
    db,
    'useNonce',
    'insert into nonce (mch_no, nonce, used_at) values ($1, $2, $3) on conflict do nothing returning 1',
    [use.mchNo, use.nonce, use.now],
  )
  return rows.length === 1
}

export type NonceUse = { mchNo: string; nonce: string }

/** Records the nonces of merchants' queries, which may have had them before. They are inserted in order, so that two lists do not deadlock. */
export async function rememberNonces(db: Db, { uses, now }: { uses: NonceUse[]; now: Date }): Promise<void> {
  await run(
    db,
    'rememberNonces',
    `insert into nonce (mch_no, nonce, used_at)
     select mch_no, nonce, $3 from unnest($1::text[], $2::text[]) as t (mch_no, nonce) order by mch_no, nonce
     on conflict do nothing`,
    [uses.map(({ mchNo }) => mchNo), uses.map(({ nonce }) => nonce), now],
  )
}

/** Forgets at most `limit` nonces used before `before`; returns how many. */
export async function forgetNonces(
  db: Db,
  before: Date,
  limit: number,
  { groupOf = EACH_ALONE, reach }: Spread = {},
): Promise<number> {
  const old = await runOver<NonceUse>(
    { db, reach },
    'oldNonces',
    'select mch_no as "mchNo", nonce from nonce where used_at < $1 /* of those in reach: mch_no */ order by used_at limit $2',
    [before, limit],
  )
  let forgotten = 0
  for (const uses of inGroups(old, groupOf)) {
    const rows = await run<{ forgotten: number }>(
      db,
      'forgetNonces',
      'select forgotten from forget_nonces($1, $2, $3, $4)',
      [whereOf(uses), before, uses.map(({ mchNo }) => mchNo), uses.map(({ nonce }) => nonce)],
    )
    for (const row of rows) forgotten += row.forgotten
  }
  return forgotten
}
