/** The audit log's chain as a whole: reading it from its beginning, and removing what is older than the retention. */
import { type Db, type Pool, run, transaction } from '../db.ts'
import type { AuditHead, ChainedRow } from './audit.ts'

export type StampedRow = ChainedRow & { mac: Buffer }

/** At most `limit` rows after number `after`, in the order of their numbers. */
export async function readAuditChain(db: Db, after: bigint, limit: number): Promise<StampedRow[]> {
  const entries = await run<StampedRow>(
    db,
    'readAuditEntries',
    `select 'entry' as kind, seq, mac, audit_no as "auditNo", at, username, address, action, mch_no as "mchNo", subject,
            outcome, detail
       from console_audit where seq > $1 order by seq limit $2`,
    [after, limit],
  )
  const outcomes = await run<StampedRow>(
    db,
    'readAuditOutcomes',
    `select 'outcome' as kind, seq, mac, audit_no as "auditNo", at, outcome, changes
       from console_audit_outcome where seq > $1 order by seq limit $2`,
    [after, limit],
  )
  return [...entries, ...outcomes].sort((one, other) => (one.seq < other.seq ? -1 : 1)).slice(0, limit)
}

export async function readAuditHead(db: Db): Promise<AuditHead | null> {
  const [head] = await run<AuditHead>(db, 'readAuditHead', 'select seq, mac from console_audit_head', [])
  return head ?? null
}

/** The last row from before `until`, by its number. */
export async function lastAuditBefore(db: Db, until: Date): Promise<AuditHead | null> {
  const [last] = await run<AuditHead>(
    db,
    'lastAuditBefore',
    `select seq, mac from (
       (select seq, mac from console_audit where seq is not null and at < $1 order by seq desc limit 1)
       union all (select seq, mac from console_audit_outcome where at < $1 order by seq desc limit 1)) last
      order by seq desc limit 1`,
    [until],
  )
  return last ?? null
}

/** Entries without a number; those from `since` on are of nobody's gateway. */
export async function unchainedAudit(db: Db, since: Date | null): Promise<{ before: number; after: string[] }> {
  const [counted] = await run<{ count: number }>(
    db,
    'countUnchainedAudit',
    'select count(*)::int as count from console_audit where seq is null and at < $1',
    [since ?? new Date(0)],
  )
  const rows = await run<{ auditNo: string }>(
    db,
    'unchainedAudit',
    `select audit_no as "auditNo" from console_audit where seq is null and at >= $1 order by audit_no limit 1000`,
    [since ?? new Date(0)],
  )
  return { before: counted?.count ?? 0, after: rows.map(({ auditNo }) => auditNo) }
}

/** What the retention has left of the rows that it removed. */
export type AuditMark = { untilSeq: bigint; lastMac: Buffer; removedAt: Date; mac: Buffer }

/** The oldest first. */
export const readAuditMarks = (db: Db): Promise<AuditMark[]> =>
  run<AuditMark>(
    db,
    'readAuditMarks',
    `select until_seq as "untilSeq", last_mac as "lastMac", removed_at as "removedAt", mac from console_audit_mark
      order by until_seq`,
    [],
  )

/** Removes at most this many rows at once, so that nobody waits long for the head. */
const REMOVED_AT_ONCE = 5000

/**
 * Removes rows from before `before`, the oldest first, and never the newest of all. What is left begins where the mark says, which is
 * written with it. Returns how many were removed.
 */
export const forgetAudit = (
  pool: Pool,
  { before, now }: { before: Date; now: Date },
  stampMark: (mark: Omit<AuditMark, 'mac'>) => Buffer,
): Promise<number> =>
  transaction(pool, async (db) => {
    await run(db, 'lockAuditHeadToForget', 'select 1 from console_audit_head for update', [])
    const old = await run(
      db,
      'forgetUnchainedAudit',
      `delete from console_audit where audit_no in (
         select audit_no from console_audit where seq is null and at < $1 order by at limit $2) returning 1`,
      [before, REMOVED_AT_ONCE],
    )
    const [last] = await run<{ untilSeq: bigint; lastMac: Buffer }>(
      db,
      'lastAuditToForget',
      `with chain as (
         (select seq, mac, at from console_audit where seq is not null order by seq limit $2)
         union all (select seq, mac, at from console_audit_outcome order by seq limit $2)),
       oldest as (select * from chain order by seq limit $2)
       select seq as "untilSeq", mac as "lastMac" from oldest
        where seq < (select seq from console_audit_head)
          and seq < coalesce((select min(seq) from oldest where at >= $1), 9223372036854775807)
        order by seq desc limit 1`,
      [before, REMOVED_AT_ONCE],
    )
    if (last === undefined) return old.length
    const gone = await run(
      db,
      'forgetAudit',
      `with entries as (delete from console_audit where seq <= $1 returning 1),
       outcomes as (delete from console_audit_outcome where seq <= $1 returning 1)
       select 1 from entries union all select 1 from outcomes`,
      [last.untilSeq],
    )
    const mark = { ...last, removedAt: now }
    await run(
      db,
      'insertAuditMark',
      'insert into console_audit_mark (until_seq, last_mac, removed_at, mac) values ($1, $2, $3, $4)',
      [mark.untilSeq, mark.lastMac, mark.removedAt, stampMark(mark)],
    )
    return old.length + gone.length
  })
