/** Jobs that take longer than they should, for the overview and its list. */
import type { JobKind } from '@acopay/core'
import { type Db, run } from '../db.ts'

/** Counting stops here, because a larger exact number would not help the operator. */
export const HEALTH_MAX = 10_000

/**
 * Jobs of the merchant `$1` (null: of all) that have been stuck since before `$2`: they have been due since then and no
 * process has leased them, or they were written before then and tried three times. A `watch_attempt` job takes days by
 * design, so only the first rule applies to it. The `HEALTH_MAX` oldest of each rule.
 */
export const STUCK_JOBS = (() => {
  const some = (which: string, by: string): string =>
    `(select mch_no, kind, subject, tries, due_at, created_at from job
       where ${which} and ($1::text is null or mch_no = $1) order by ${by} limit ${HEALTH_MAX})`
  const inTrouble = "tries >= 3 and kind <> 'watch_attempt' and created_at < $2"
  return `(${some('due_at < $2', 'due_at')} union ${some(inTrouble, 'created_at')})`
})()

export type StuckJob = {
  mchNo: string
  kind: JobKind
  subject: string
  tries: number
  dueAt: Date
  createdAt: Date
  /** The order that the job is about; null for a job about a day. */
  transactionNo: string | null
}
export type JobPlace = Pick<StuckJob, 'mchNo' | 'kind' | 'subject' | 'createdAt'>

/** A page, the oldest first, at most `limit`. */
export const listStuckJobs = (
  db: Db,
  { mchNo, after }: { mchNo: string | null; after: JobPlace | null },
  since: Date,
  limit: number,
): Promise<StuckJob[]> =>
  run<StuckJob>(
    db,
    'listStuckJobs',
    `select j.mch_no as "mchNo", j.kind, j.subject, j.tries, j.due_at as "dueAt", j.created_at as "createdAt",
            case when j.kind = 'shut_attempts' then j.subject
                 else coalesce(a.transaction_no, r.transaction_no, v.transaction_no, w.transaction_no) end as "transactionNo"
       from (select * from ${STUCK_JOBS} s
              where $3::timestamptz is null or (created_at, mch_no, kind, subject) > ($3, $4::text, $5::text, $6::text)
              order by created_at, mch_no, kind, subject limit $7) j
       left join attempt a on a.mch_no = j.mch_no and a.attempt_no = j.subject
       left join refund r on r.mch_no = j.mch_no and r.refund_no = j.subject
       left join reversal v on v.mch_no = j.mch_no and v.refund_no = j.subject
       left join archived_reversal w on w.mch_no = j.mch_no and w.refund_no = j.subject
      order by j.created_at, j.mch_no, j.kind, j.subject`,
    [mchNo, since, after?.createdAt, after?.mchNo, after?.kind, after?.subject, limit],
  )
