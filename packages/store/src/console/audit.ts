/**
 * The console's audit log: which user did what, and with what outcome. Rows are only added, and chained: each has the next number and a
 * keyed hash over the row before it. An entry whose outcome is not known yet gets it as a row of its own.
 */
import { type Db, type Pool, run, transaction } from '../db.ts'

export type NewAudit = {
  /** Begins with the time, so that entries sort by it. */
  auditNo: string
  username: string
  address: string
  action: string
  mchNo: string | null
  subject: string | null
  detail: Record<string, unknown>
  outcome: string
}

/** `changes`: a JSON object. */
export type Ended = { auditNo: string; outcome: string; changes: string }

/** A row of the chain, an entry or an outcome. `detail` is JSON. */
export type ChainedRow = { seq: bigint; at: Date } & (
  | ({ kind: 'entry' } & Omit<NewAudit, 'detail'> & { detail: string })
  | ({ kind: 'outcome' } & Ended)
)

/** The keyed hash of a row whose predecessor has the hash `previous`; the first row has none. */
export type AuditStamp = (previous: Buffer, row: ChainedRow) => Buffer

/** Everything that a row's keyed hash covers. */
export const chainedText = (row: ChainedRow): string => {
  const { seq, at, auditNo, outcome } = row
  const both = [row.kind, String(seq), at.toISOString(), auditNo, outcome]
  if (row.kind === 'outcome') return JSON.stringify([...both, row.changes])
  return JSON.stringify([...both, row.username, row.address, row.action, row.mchNo, row.subject, row.detail])
}

export const beginAudit = (pool: Pool, { detail, ...audit }: NewAudit, now: Date, stamp: AuditStamp): Promise<void> =>
  extend(pool, stamp, { kind: 'entry', at: now, ...audit, detail: JSON.stringify(detail) })

export const endAudit = (pool: Pool, ended: Ended, now: Date, stamp: AuditStamp): Promise<void> =>
  extend(pool, stamp, { kind: 'outcome', at: now, ...ended })

type Unnumbered<Row> = Row extends unknown ? Omit<Row, 'seq'> : never

/** One row at a time, by whatever process: the lock on the head is held until the row is committed. */
const extend = (pool: Pool, stamp: AuditStamp, unnumbered: Unnumbered<ChainedRow>): Promise<void> =>
  transaction(pool, async (db) => {
    const head = await lockHead(db)
    const row: ChainedRow = { ...unnumbered, seq: head.seq + 1n }
    const mac = stamp(head.mac, row)
    await (row.kind === 'entry' ? insertEntry(db, row, mac) : insertOutcome(db, row, mac))
    await run(db, 'moveAuditHead', 'update console_audit_head set seq = $1, mac = $2', [row.seq, mac])
  })

export type AuditHead = { seq: bigint; mac: Buffer }

async function lockHead(db: Db): Promise<AuditHead> {
  const [head] = await run<AuditHead>(db, 'lockAuditHead', 'select seq, mac from console_audit_head for update', [])
  if (head === undefined) throw new Error('console_audit_head is empty: somebody has removed its row')
  return head
}

const insertEntry = (db: Db, row: ChainedRow & { kind: 'entry' }, mac: Buffer) =>
  run(
    db,
    'insertAuditEntry',
    `insert into console_audit (audit_no, at, username, address, action, mch_no, subject, outcome, detail, seq, mac)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      row.auditNo,
      row.at,
      row.username,
      row.address,
      row.action,
      row.mchNo,
      row.subject,
      row.outcome,
      row.detail,
      row.seq,
      mac,
    ],
  )

const insertOutcome = (db: Db, row: ChainedRow & { kind: 'outcome' }, mac: Buffer) =>
  run(
    db,
    'insertAuditOutcome',
    `insert into console_audit_outcome (audit_no, at, outcome, changes, seq, mac) values ($1, $2, $3, $4, $5, $6)`,
    [row.auditNo, row.at, row.outcome, row.changes, row.seq, mac],
  )

/** `changes`: a JSON object, empty while the outcome is not known. */
export type Audit = Omit<NewAudit, 'detail'> & { at: Date; detail: string; changes: string }

export type AuditFilter = {
  mchNo: string | null
  username: string | null
  action: string | null
  from: Date | null
  until: Date | null
  /** Only entries before this one. */
  before: string | null
}

/** The newest first, at most `limit`. */
export const listAudit = (db: Db, filter: AuditFilter, limit: number): Promise<Audit[]> =>
  run<Audit>(
    db,
    'listAudit',
    `select a.audit_no as "auditNo", a.at, username, address, action, mch_no as "mchNo", subject, detail,
            coalesce(o.outcome, a.outcome) as outcome, coalesce(o.changes, '{}') as changes
       from console_audit a left join console_audit_outcome o on o.audit_no = a.audit_no
      where ($1::text is null or mch_no = $1) and ($2::text is null or username = $2)
        and ($3::text is null or action = $3) and ($4::timestamptz is null or a.at >= $4)
        and ($5::timestamptz is null or a.at < $5) and ($6::text is null or a.audit_no < $6)
      order by a.audit_no desc limit $7`,
    [filter.mchNo, filter.username, filter.action, filter.from, filter.until, filter.before, limit],
  )
