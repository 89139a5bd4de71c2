/** The overview: figures from the hourly statistics, and what is stuck at this moment. */
import { CHINA_MS, DAY_MS, formatYuan } from '@acopay/core'
import type { Overview, Volume } from '@acopay/protocol/console'
import {
  alarmHealth,
  countedHours,
  type HourFigures,
  readChannelHealth,
  readHealth,
  readHours,
} from '@acopay/store/read'
import { clockDifference } from '../../../actions/readiness/readiness.ts'
import { HOURS_KEPT } from '../../../actions/statistics/count-hours.ts'
import { platformNumber } from '../../../security/numbers.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { stuckBefore } from './stuck.ts'

/** An attempt's number has its order's time. Attempts of older orders are left out of the figures of the last hour. */
const PLACED_BEFORE_MS = 3 * 3_600_000
const HOUR_MS = 3_600_000
const HOURS_SHOWN = 24
const DAYS_SHOWN = 30

const NOTHING: HourFigures = {
  placed: 0n,
  paid: 0n,
  paidFen: 0n,
  closedByMerchant: 0n,
  closedByExpiry: 0n,
  closedByOperator: 0n,
  refunds: 0n,
  refundedFen: 0n,
  reversals: 0n,
  reversedFen: 0n,
}

const volumeOf = (sum: HourFigures): Volume => ({
  placed: Number(sum.placed),
  paid: Number(sum.paid),
  paid_amount: formatYuan(sum.paidFen),
  closed_by_merchant: Number(sum.closedByMerchant),
  closed_by_expiry: Number(sum.closedByExpiry),
  closed_by_operator: Number(sum.closedByOperator),
  refunds: Number(sum.refunds),
  refunded_amount: formatYuan(sum.refundedFen),
  reversals: Number(sum.reversals),
  reversed_amount: formatYuan(sum.reversedFen),
})

function summed(hours: HourFigures[]): HourFigures {
  const sum = { ...NOTHING }
  for (const hour of hours) {
    for (const name of Object.keys(NOTHING) as (keyof HourFigures)[]) sum[name] += hour[name]
  }
  return sum
}

/** The beginning of the moment's day in UTC+8. */
const dayBegin = (ms: number): number => Math.floor((ms + CHINA_MS) / DAY_MS) * DAY_MS - CHINA_MS

async function overview(world: World, { caller, query }: ConsoleCall): Promise<Overview | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const nowMs = world.now().getTime()
  const newestMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS
  const begin = new Date(newestMs - (HOURS_KEPT - 1) * HOUR_MS)
  const mayReadAlarms = caller.permissions.includes('alarms.read')
  const [hours, [newest], health, channels, alarms] = await Promise.all([
    readHours(world.pool, mchNo, begin),
    countedHours(world.pool, new Date(newestMs - HOUR_MS)).then((rows) => rows.slice(-1)),
    readHealth(world.pool, mchNo, stuckBefore(new Date(nowMs))),
    readChannelHealth(world.pool, mchNo, {
      since: new Date(nowMs - HOUR_MS),
      from: platformNumber('AT', new Date(nowMs - PLACED_BEFORE_MS), ''),
    }),
    mayReadAlarms ? alarmHealth(world.pool) : null,
  ])
  const between = (fromMs: number, untilMs: number): Volume =>
    volumeOf(summed(hours.filter(({ hourAt }) => +hourAt >= fromMs && +hourAt < untilMs)))
  const series = (lastMs: number, stepMs: number, count: number) =>
    Array.from({ length: count }, (_, index) => lastMs - (count - 1 - index) * stepMs).map((fromMs) => ({
      from: new Date(fromMs).toISOString(),
      ...between(fromMs, fromMs + stepMs),
    }))
  const today = dayBegin(nowMs)
  return {
    at: newest?.countedAt.toISOString() ?? null,
    today: between(today, today + DAY_MS),
    yesterday: between(today - DAY_MS, today),
    hours: series(newestMs, HOUR_MS, HOURS_SHOWN),
    days: series(today, DAY_MS, DAYS_SHOWN),
    stuck: {
      closing: health.closing,
      expired: health.expired,
      refunds: health.refunds,
      reversals: health.reversals,
      jobs: health.jobs,
      oldest_at: health.oldestAt?.toISOString() ?? null,
    },
    notifications: { pending: health.pending, late: health.late, dead: health.dead },
    channels: channels.map(({ channel, attempts, paid, inDoubt }) => ({
      channel,
      attempts: Number(attempts),
      paid: Number(paid),
      in_doubt: Number(inDoubt),
    })),
    unsettled_differences: health.differences,
    unmatched_payments: health.unmatched,
    clock: clockDifference(world),
    alarms: alarms && { open: alarms.open, failing_channels: alarms.failing },
  }
}

export const overviewEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'overview', permission: 'orders.read', handle: overview },
]
