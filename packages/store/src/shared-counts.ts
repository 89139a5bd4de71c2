/** What gateways on one database tell each other once a second: what they let through, and which upstreams fail. */
import { type Db, run } from './db.ts'

export type SharedCounts = { member: string; round: bigint; told: string }

/** Writes the member's own row and answers those of the others who have told something since `since`. One statement. */
export const exchangeCounts = (
  db: Db,
  own: { member: string; round: number; told: string },
  { now, since }: { now: Date; since: Date },
): Promise<SharedCounts[]> =>
  run<SharedCounts>(
    db,
    'exchangeCounts',
    `with own as (
       insert into shared_count (member, round, told, told_at) values ($1, $2, $3, $4)
       on conflict (member) do update set round = excluded.round, told = excluded.told, told_at = excluded.told_at)
     select member, round, told from shared_count where member <> $1 and told_at >= $5`,
    [own.member, own.round, own.told, now, since],
  )

/** Rows of members that have ended. */
export async function forgetCounts(db: Db, before: Date): Promise<void> {
  await run(db, 'forgetCounts', 'delete from shared_count where told_at < $1', [before])
}
