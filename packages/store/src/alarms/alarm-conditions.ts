/** What is wrong, as the database shows it: one statement over all merchants. */
import { type Reach, runOver } from '../citus/reach.ts'
import type { Db } from '../db.ts'
import { HEALTH_MAX } from '../jobs/stuck-jobs.ts'
import type { AlarmExample, SeenAlarm } from './alarms.ts'

const EXAMPLES_MAX = 3

/** `from` what; `at`: since when a row counts; `number`: what names it. `$1`: 25 minutes ago; `$2`: a minute ago. */
type Condition = { kind: string; subject: string; from: string; at: string; mchNo?: string; number: string }

/** The conditions whose subject is fixed. Each has an index that holds only such rows, or few rows. */
const CONDITIONS: Condition[] = [
  {
    ...{ kind: 'stuck', subject: 'closing', at: 'changed_at', number: 'transaction_no' },
    from: `orders where state = 'CLOSING' and changed_at < $1`,
  },
  {
    ...{ kind: 'stuck', subject: 'expired', at: 'time_expire', number: 'transaction_no' },
    from: `orders where state = 'NOTPAY' and time_expire < $1`,
  },
  {
    // The job says when it is late: an hour, or five days where a bank takes its time.
    ...{ kind: 'stuck', subject: 'jobs', at: 'created_at', number: 'subject' },
    from: `job where tries >= 3 and kind <> 'watch_attempt' and alarmed_at is not null`,
  },
  {
    ...{ kind: 'late-notifications', subject: '', at: 'round_at', number: 'transaction_no' },
    from: `notification where state = 'PENDING' and round_at < $1`,
  },
  {
    ...{ kind: 'dead-letters', subject: '', at: 'created_at', number: 'transaction_no' },
    from: `notification where state = 'DEAD'`,
  },
  {
    ...{ kind: 'unmatched-payments', subject: '', at: 'heard_at', number: 'attempt_no' },
    from: 'stray_payment where settled_at is null',
  },
  {
    ...{ kind: 'differences', subject: '', at: 'found_at', number: 'day::text' },
    from: 'reconciliation_difference where not settled',
  },
]

const oldest = ({ kind, subject, from, at, mchNo = 'mch_no', number }: Condition): string =>
  `select '${kind}' as kind, '${subject}' as subject, count(*)::int as found,
          (array_agg(json_build_object('mchNo', m, 'number', n)::text order by at, n))[1:${EXAMPLES_MAX}] as examples
     from (select ${mchNo} as m, ${number} as n, ${at} as at from ${from} /* of those in reach: mch_no */ limit ${HEALTH_MAX}) x having count(*) > 0`

const TEXT = [
  ...CONDITIONS.map(oldest),
  `select 'upstream-refuses', mch_no || '/' || channel, 1, array[json_build_object('mchNo', mch_no, 'number', '')::text]
     from channel_account where complaint is not null /* of those in reach: mch_no */`,
  `select 'alarm-channel-failing', channel_id, tries, array[]::text[]
     from alarm_channel where enabled and failing_from < $2`,
].join('\nunion all\n')

/** A count stops at HEALTH_MAX. */
export async function alarmConditions(
  db: Db,
  { stuckSince, failingSince, reach }: { stuckSince: Date; failingSince: Date; reach?: Reach },
) {
  type Row = { kind: string; subject: string; found: number; examples: string[] }
  const rows = await runOver<Row>({ db, reach }, 'alarmConditions', TEXT, [stuckSince, failingSince])
  return rows.map(
    (row): SeenAlarm => ({
      ...row,
      examples: row.examples.map((one) => JSON.parse(one) as AlarmExample),
    }),
  )
}
