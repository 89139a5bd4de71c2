/**
 * The figures by hour, channel and method, and by day, that the page of figures adds up. An hour is counted again while something
 * can still be written in it. Everything counts in the hour in which the gateway wrote it.
 */
import { type Db, run } from '../db.ts'
import { ALL_MERCHANTS } from './order-hours.ts'

/** What is added up; every figure of an hour, a day or any longer time. */
export const FIGURES = [
  'placed',
  'placed_fen',
  'attempts',
  'paid',
  'paid_fen',
  'pay_seconds',
  'closed_by_merchant',
  'closed_by_expiry',
  'closed_by_operator',
  'closed_fen',
  'refunds',
  'refunded_fen',
  'reversals',
  'reversed_fen',
] as const
export type Figures = Record<(typeof FIGURES)[number], bigint>

/** A part of the count: its figures by name; the others are 0. */
const part = (figures: Partial<Record<(typeof FIGURES)[number], string>>, whose: string, from: string): string =>
  `select ${whose}, ${FIGURES.map((name) => `${figures[name] ?? '0'}::bigint as ${name}`).join(', ')} from ${from}`

const NO_CHANNEL = `x.mch_no, '' as channel, '' as method`
const BY_CHANNEL = 'x.mch_no, a.channel, a.method'
const ATTEMPT_OF = 'join attempt a on a.mch_no = x.mch_no and a.attempt_no = x.attempt_no'

const PARTS = [
  part(
    { placed: 'count(*)', placed_fen: 'sum(amount_fen)' },
    NO_CHANNEL,
    'orders x where transaction_no >= $3 and transaction_no < $4 group by 1',
  ),
  part(
    {
      closed_by_merchant: "count(*) filter (where close_reason = 'MERCHANT')",
      closed_by_expiry: "count(*) filter (where close_reason = 'EXPIRED')",
      closed_by_operator: "count(*) filter (where close_reason = 'OPERATOR')",
      closed_fen: 'sum(amount_fen)',
    },
    NO_CHANNEL,
    'orders x where closed_at >= $1 and closed_at < $2 group by 1',
  ),
  // An order ends once, and no attempt of it is opened after that.
  part(
    { attempts: 'count(*)' },
    BY_CHANNEL,
    `(select mch_no, transaction_no from orders where closed_at >= $1 and closed_at < $2 and attempts > 0
      union all
      select mch_no, transaction_no from payment where booked_at >= $1 and booked_at < $2 and fate = 'keep') x
      join attempt a on a.mch_no = x.mch_no and a.transaction_no = x.transaction_no group by 1, 2, 3`,
  ),
  part(
    {
      paid: 'count(*)',
      paid_fen: 'sum(x.amount_fen)',
      // An upstream whose clock is behind ours may say that it was paid before it was opened.
      pay_seconds: 'sum(greatest(0, floor(extract(epoch from x.paid_at - a.created_at))))',
    },
    BY_CHANNEL,
    `payment x ${ATTEMPT_OF} where x.booked_at >= $1 and x.booked_at < $2 and x.fate = 'keep' group by 1, 2, 3`,
  ),
  part(
    { refunds: 'count(*)', refunded_fen: 'sum(x.amount_fen)' },
    BY_CHANNEL,
    `refund x ${ATTEMPT_OF} where x.success_time >= $1 and x.success_time < $2 group by 1, 2, 3`,
  ),
  part(
    { reversals: 'count(*)', reversed_fen: 'sum(x.amount_fen)' },
    BY_CHANNEL,
    `reversal x ${ATTEMPT_OF} where x.state = 'SUCCESS' and x.changed_at >= $1 and x.changed_at < $2 group by 1, 2, 3`,
  ),
  part(
    { reversals: 'count(*)', reversed_fen: 'sum(x.amount_fen)' },
    BY_CHANNEL,
    `archived_reversal x join archived_attempt a on a.mch_no = x.mch_no and a.attempt_no = x.attempt_no
      where x.state = 'SUCCESS' and x.changed_at >= $1 and x.changed_at < $2 group by 1, 2, 3`,
  ),
]

const NAMES = FIGURES.join(', ')
const SUMS = FIGURES.map((name) => `coalesce(sum(${name}), 0)::bigint as ${name}`).join(', ')
const NEW = [...FIGURES, 'counted_at'].map((name) => `${name} = excluded.${name}`).join(', ')

export type FigureHour = { begin: Date; end: Date; numbers: { from: string; until: string } }

/**
 * Counts one hour again; rows that it has no longer are removed. `numbers`: see `countHour`. The row of all merchants without a channel
 * is always written: it says that the hour was counted.
 */
export const countFigures = (db: Db, { begin, end, numbers }: FigureHour, now: Date): Promise<object[]> =>
  run(
    db,
    'countFigures',
    `with rows as (${PARTS.join(' union all ')}),
     counted as (
       select coalesce(mch_no, '${ALL_MERCHANTS}') as mch_no, coalesce(channel, '') as channel, coalesce(method, '') as method, ${SUMS}
         from rows group by grouping sets ((mch_no, channel, method), (channel, method))
       union all
       select '${ALL_MERCHANTS}', '', '', ${FIGURES.map(() => '0').join(', ')} where not exists (select from rows where channel = '')),
     gone as (
       delete from figure f where span = 'hour' and begins_at = $1 and not exists (
         select from counted c where c.mch_no = f.mch_no and c.channel = f.channel and c.method = f.method))
     insert into figure (mch_no, span, begins_at, channel, method, ${NAMES}, counted_at)
     select mch_no, 'hour', $1, channel, method, ${NAMES}, $5 from counted
     on conflict (mch_no, span, begins_at, channel, method) do update set ${NEW}`,
    [begin, end, numbers.from, numbers.until, now],
  )

/** Processes that count hours of one day wait for each other, so that the day's sum misses none of them. Call it first. */
export const lockDay = (db: Db, day: Date, now: Date): Promise<object[]> =>
  run(
    db,
    'lockFigureDay',
    `insert into figure (mch_no, span, begins_at, channel, method, ${NAMES}, counted_at)
     values ('${ALL_MERCHANTS}', 'day', $1, '', '', ${FIGURES.map(() => '0').join(', ')}, $2)
     on conflict (mch_no, span, begins_at, channel, method) do update set counted_at = excluded.counted_at`,
    [day, now],
  )

/** Adds up the hours of a day, in all and by channel. Rows that no hour has any more are removed. */
export const sumDay = (db: Db, { day, end }: { day: Date; end: Date }, now: Date): Promise<object[]> =>
  run(
    db,
    'sumFigureDay',
    `with summed as (
       select mch_no, '' as channel, '' as method, ${SUMS} from figure
        where span = 'hour' and begins_at >= $1 and begins_at < $2 group by 1
       union all
       select mch_no, channel, method, ${SUMS} from figure
        where span = 'hour' and begins_at >= $1 and begins_at < $2 and channel <> '' group by 1, 2, 3),
     gone as (
       delete from figure f where span = 'day' and begins_at = $1 and (mch_no, channel) <> ('${ALL_MERCHANTS}', '')
          and not exists (
            select from summed s where s.mch_no = f.mch_no and s.channel = f.channel and s.method = f.method))
     insert into figure (mch_no, span, begins_at, channel, method, ${NAMES}, counted_at)
     select mch_no, 'day', $1, channel, method, ${NAMES}, $3 from summed
     on conflict (mch_no, span, begins_at, channel, method) do update set ${NEW}`,
    [day, end, now],
  )

/** When the hours from `from` on were last counted; one that was never counted is not in the list. */
export const figuresCounted = (db: Db, from: Date): Promise<{ hourAt: Date; countedAt: Date }[]> =>
  run(
    db,
    'figuresCounted',
    `select begins_at as "hourAt", counted_at as "countedAt" from figure
      where mch_no = '${ALL_MERCHANTS}' and span = 'hour' and channel = '' and method = '' and begins_at >= $1`,
    [from],
  )

/** The number of the oldest order; null where there is none. */
export async function oldestOrder(db: Db): Promise<string | null> {
  const sql = 'select transaction_no as number from orders order by transaction_no limit 1'
  return (await run<{ number: string }>(db, 'oldestOrder', sql, []))[0]?.number ?? null
}

/** The first and the last hour that were counted, and when the last was; null where none was. */
export type CountedSpan = { first: Date | null; countedAt: Date | null }

export async function countedSpan(db: Db): Promise<CountedSpan> {
  const where = `mch_no = '${ALL_MERCHANTS}' and span = 'hour' and channel = '' and method = ''`
  const rows = await run<CountedSpan>(
    db,
    'countedSpan',
    `select (select begins_at from figure where ${where} order by begins_at limit 1) as first,
            (select counted_at from figure where ${where} order by begins_at desc limit 1) as "countedAt"`,
    [],
  )
  return rows[0] ?? { first: null, countedAt: null }
}

export type Between = { from: Date; until: Date }

/** By hours or by days; those without anything are left out. */
export const figuresBySteps = (
  db: Db,
  mchNo: string | null,
  { from, until }: Between,
  step: 'hour' | 'day',
): Promise<(Figures & { beginsAt: Date })[]> =>
  run(
    db,
    'figuresBySteps',
    `select begins_at as "beginsAt", ${SUMS} from figure
      where mch_no = $1 and span = $4 and begins_at >= $2 and begins_at < $3 and ($4 = 'hour' or channel = '')
      group by 1 order by 1`,
    [mchNo ?? ALL_MERCHANTS, from, until, step],
  )

/** Whole days. */
export const figuresByChannel = (
  db: Db,
  mchNo: string | null,
  { from, until }: Between,
): Promise<(Figures & { channel: string; method: string })[]> =>
  run(
    db,
    'figuresByChannel',
    `select channel, method, ${SUMS} from figure
      where mch_no = $1 and span = 'day' and begins_at >= $2 and begins_at < $3 and channel <> ''
      group by 1, 2 order by 1, 2`,
    [mchNo ?? ALL_MERCHANTS, from, until],
  )

/** By the hour of the day in UTC+8. */
export const figuresByClock = (
  db: Db,
  mchNo: string | null,
  { from, until }: Between,
): Promise<(Figures & { hour: number })[]> =>
  run(
    db,
    'figuresByClock',
    `select ((extract(epoch from begins_at)::bigint / 3600 + 8) % 24)::int as hour, ${SUMS} from figure
      where mch_no = $1 and span = 'hour' and begins_at >= $2 and begins_at < $3 group by 1 order by 1`,
    [mchNo ?? ALL_MERCHANTS, from, until],
  )

/** Whole days. The merchants with the largest paid amounts, at most `limit`. */
export const figuresByMerchant = (
  db: Db,
  { from, until }: Between,
  limit: number,
): Promise<(Figures & { mchNo: string; name: string | null })[]> =>
  run(
    db,
    'figuresByMerchant',
    `select f.mch_no as "mchNo", m.name, ${NAMES} from (
       select mch_no, ${SUMS} from figure
        where span = 'day' and channel = '' and begins_at >= $1 and begins_at < $2 and mch_no <> '${ALL_MERCHANTS}'
        group by mch_no order by sum(paid_fen) desc, mch_no limit $3) f
       left join merchant m on m.mch_no = f.mch_no order by paid_fen desc, f.mch_no`,
    [from, until, limit],
  )
