/** The console's audit log: which user did what, and with what outcome. A row gets its outcome once and never changes again. */
import { type Db, run } from '../db.ts'

export type NewAudit = {
  /** Begins with the time, so that rows sort by it. */
  auditNo: string
  username: string
  address: string
  action: string
  mchNo: string | null
  subject: string | null
  detail: Record<string, unknown>
  outcome: string
}
export type Audit = Omit<NewAudit, 'detail'> & { at: Date; detail: string }

export const beginAudit = (db: Db, audit: NewAudit, now: Date) =>
  run(
    db,
    'beginAudit',
    `insert into console_audit (audit_no, at, username, address, action, mch_no, subject, outcome, detail)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
    [
      audit.auditNo,
      now,
      audit.username,
      audit.address,
      audit.action,
      audit.mchNo,
      audit.subject,
      audit.outcome,
      JSON.stringify(audit.detail),
    ],
  )

export const endAudit = (db: Db, auditNo: string, outcome: string) =>
  run(db, 'endAudit', 'update console_audit set outcome = $2 where audit_no = $1', [auditNo, outcome])

export type AuditFilter = {
  mchNo: string | null
  username: string | null
  action: string | null
  from: Date | null
  until: Date | null
  /** Only rows before this one. */
  before: string | null
}

/** The newest first, at most `limit`. */
export const listAudit = (db: Db, filter: AuditFilter, limit: number): Promise<Audit[]> =>
  run<Audit>(
    db,
    'listAudit',
    `select audit_no as "auditNo", at, username, address, action, mch_no as "mchNo", subject, outcome, detail
       from console_audit
      where ($1::text is null or mch_no = $1) and ($2::text is null or username = $2)
        and ($3::text is null or action = $3) and ($4::timestamptz is null or at >= $4)
        and ($5::timestamptz is null or at < $5) and ($6::text is null or audit_no < $6)
      order by audit_no desc limit $7`,
    [filter.mchNo, filter.username, filter.action, filter.from, filter.until, filter.before, limit],
  )
