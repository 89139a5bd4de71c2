/**
 * Jobs: rows that say what must still be done. Each is written with the change that makes it necessary, so a crash loses
 * none.
 */
import { JOB_KINDS, type JobKind } from '@acopay/core'
import { EACH_ALONE, inGroups, type Spread, takenOfEach, whereOf } from '../citus/groups.ts'
import { runOver } from '../citus/reach.ts'
import { type Db, run } from '../db.ts'

/** `tries` is the lease's number: an update must match it, so that an expired lease cannot overwrite a newer one. */
export type Job = { mchNo: string; kind: JobKind; subject: string; tries: number; createdAt: Date }

type JobKey = Pick<Job, 'mchNo' | 'kind' | 'subject'>

/**
 * Writes a job that its writer holds under the first lease until `dueAt`: the writer does the work, and the job comes due
 * if it dies. Leaves a job that exists as it is.
 */
export async function insertLeasedJob(db: Db, job: JobKey, dueAt: Date, now: Date): Promise<void> {
  await run(
    db,
    'insertHeldJob',
    `insert into job (mch_no, kind, subject, due_at, tries, created_at) values ($1, $2, $3, $4, 1, $5)
     on conflict do nothing`,
    [job.mchNo, job.kind, job.subject, dueAt, now],
  )
}

/** More are looked at than are leased: other processes look at the same ones, and take them first. When they have taken all, there may be more. */
const LOOKED_AT = 2
const LOOKS = 3

type Leasing = Spread & { now: Date; leaseUntil: Date }

/**
 * Leases at most `limit` due jobs of these kinds until `leaseUntil`. They are found without a lock and then taken, group by group, by a call
 * that skips those which another process has taken or locked since (migrations/0053-found-by-key.sql).
 */
export async function leaseJobs(
  db: Db,
  leasing: Leasing,
  limit: number,
  kinds: readonly JobKind[] = JOB_KINDS,
): Promise<Job[]> {
  for (let look = 0; look < LOOKS; look += 1) {
    const due = await runOver<JobKey>(
      { db, reach: leasing.reach },
      'dueJobs',
      `select mch_no as "mchNo", kind, subject from job
        where due_at <= $1 and kind = any($3) /* of those in reach: mch_no */ order by due_at limit $2`,
      [leasing.now, LOOKED_AT * limit, kinds],
    )
    if (due.length === 0) return []
    const leased = await leaseSome(db, leasing, due, limit)
    if (leased.length > 0) return leased
  }
  return []
}

function leaseSome(
  db: Db,
  { now, leaseUntil, groupOf = EACH_ALONE }: Leasing,
  due: JobKey[],
  limit: number,
): Promise<Job[]> {
  return takenOfEach(inGroups(due, groupOf), async (keys, leased) => {
    if (leased === limit) return []
    const rows = await run<Pick<Job, 'tries' | 'createdAt'> & { place: number }>(
      db,
      'takeJobs',
      `select place, tries, created_at as "createdAt" from lease_jobs($1, $2, $3, $4, $5, $6, $7) order by place`,
      [
        whereOf(keys),
        now,
        leaseUntil,
        limit - leased,
        keys.map(({ mchNo }) => mchNo),
        keys.map(({ kind }) => kind),
        keys.map(({ subject }) => subject),
      ],
    )
    return rows.map(({ place, tries, createdAt }) => ({ ...(keys[place - 1] as JobKey), tries, createdAt }))
  })
}

/**
 * Leases this job. Null when another lease lasts beyond `now`, or the job does not exist any more. `is true` keeps the index of due jobs from
 * being read instead of the key (docs/decisions/0054-found-by-key.md).
 */
export async function leaseJob(db: Db, key: JobKey, now: Date, leaseUntil: Date): Promise<Job | null> {
  const rows = await run<Job>(
    db,
    'takeJob',
    `update job set due_at = $5, tries = tries + 1
      where mch_no = $1 and kind = $2 and subject = $3 and (due_at <= $4) is true
      returning mch_no as "mchNo", kind, subject, tries, created_at as "createdAt"`,
    [key.mchNo, key.kind, key.subject, now, leaseUntil],
  )
  return rows[0] ?? null
}

/** Removes a job whose work is done, by this process or another. */
export async function removeJob(db: Db, key: JobKey): Promise<void> {
  await run(db, 'removeJob', 'delete from job where mch_no = $1 and kind = $2 and subject = $3', [
    key.mchNo,
    key.kind,
    key.subject,
  ])
}

/** Makes the job due at `dueAt`. Changes nothing when this lease has ended and another process holds the job. */
export async function postponeJob(db: Db, job: Job, dueAt: Date): Promise<void> {
  await run(
    db,
    'postponeJob',
    'update job set due_at = $5 where mch_no = $1 and kind = $2 and subject = $3 and tries = $4',
    [job.mchNo, job.kind, job.subject, job.tries, dueAt],
  )
}

/** Makes the job due now, because what it waits for may have happened. Changes nothing when the job is done. */
export async function wakeJob(db: Db, key: JobKey, now: Date): Promise<void> {
  await run(
    db,
    'hastenJob',
    'update job set due_at = least(due_at, $4) where mch_no = $1 and kind = $2 and subject = $3',
    [key.mchNo, key.kind, key.subject, now],
  )
}

/** Makes the job due now unless somebody may hold it: every lease that is held now ends by `leasesEnd`. */
export async function wakeIdleJob(db: Db, key: JobKey, now: Date, leasesEnd: Date): Promise<void> {
  await run(
    db,
    'wakeIdleJob',
    'update job set due_at = $4 where mch_no = $1 and kind = $2 and subject = $3 and due_at > $5',
    [key.mchNo, key.kind, key.subject, now, leasesEnd],
  )
}

/** Extends a lease. False when it has ended and another process holds the job, or the job is done. */
export async function extendJob(db: Db, job: Job, leaseUntil: Date): Promise<boolean> {
  const rows = await run(
    db,
    'extendJob',
    'update job set due_at = $5 where mch_no = $1 and kind = $2 and subject = $3 and tries = $4 returning 1',
    [job.mchNo, job.kind, job.subject, job.tries, leaseUntil],
  )
  return rows.length === 1
}

/** Marks a job as overdue. False when it was marked before, so that each alarm is raised once. */
export async function alarmJob(db: Db, job: Job, now: Date): Promise<boolean> {
  const rows = await run(
    db,
    'alarmJob',
    `update job set alarmed_at = $4 where mch_no = $1 and kind = $2 and subject = $3 and alarmed_at is null
     returning 1`,
    [job.mchNo, job.kind, job.subject, now],
  )
  return rows.length === 1
}
