/** The page of figures: sums of counted hours, and the same as a file. */
import { DAY_MS, dayBounds, dayOf, formatYuan } from '@acopay/core'
import { FIGURE_PARTS, type FigurePart, type FigureRow, type FiguresPage } from '@acopay/protocol/console'
import {
  type Between,
  countedSpan,
  FIGURES,
  type Figures,
  figuresByChannel,
  figuresByClock,
  figuresByMerchant,
  figuresBySteps,
} from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type ConsoleFile, Failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { figuresCsv } from './figures-csv.ts'

const HOUR_MS = 3_600_000
/** A year is at most so long. */
const DAYS_MAX = 366
/** Up to so many days are shown by hours. */
const DAYS_BY_HOUR = 2
const MERCHANTS_MAX = 50

type Asked = {
  mchNo: string | null
  seesAll: boolean
  from: string
  until: string
  days: number
  now: Between
  before: Between
}

const beginOf = (day: string): number => dayBounds(day).fromMs

/** Without days: the last seven, today included. */
function askedOf({ caller, query }: ConsoleCall, nowMs: number): Asked | Failed {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const until = read.day('until') ?? dayOf(nowMs)
  const from = read.day('from') ?? dayOf(beginOf(until) - 6 * DAY_MS)
  const days = (beginOf(until) - beginOf(from)) / DAY_MS + 1
  if (days < 1) read.say('until', '不能早于开始日期', 'should not be before the first day')
  if (days > DAYS_MAX) read.say('from', `至多${DAYS_MAX}天`, `should be at most ${DAYS_MAX} days before the last`)
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const [start, end] = [beginOf(from), beginOf(until) + DAY_MS]
  const now = { from: new Date(start), until: new Date(end) }
  const before = { from: new Date(start - (end - start)), until: new Date(start) }
  return { mchNo, seesAll: caller.mchNo === null, from, until, days, now, before }
}

const NOTHING = Object.fromEntries(FIGURES.map((name) => [name, 0n])) as Figures

function summed(rows: Figures[]): Figures {
  const sum = { ...NOTHING }
  for (const row of rows) for (const name of FIGURES) sum[name] += row[name]
  return sum
}

const rowOf = (sum: Figures): FigureRow => ({
  placed: Number(sum.placed),
  placed_amount: formatYuan(sum.placed_fen),
  paid: Number(sum.paid),
  paid_amount: formatYuan(sum.paid_fen),
  closed_by_merchant: Number(sum.closed_by_merchant),
  closed_by_expiry: Number(sum.closed_by_expiry),
  closed_by_operator: Number(sum.closed_by_operator),
  closed_amount: formatYuan(sum.closed_fen),
  refunds: Number(sum.refunds),
  refunded_amount: formatYuan(sum.refunded_fen),
  reversals: Number(sum.reversals),
  reversed_amount: formatYuan(sum.reversed_fen),
  attempts: Number(sum.attempts),
  pay_seconds: sum.paid === 0n ? null : Math.round(Number(sum.pay_seconds) / Number(sum.paid)),
})

async function pageOf(world: World, { mchNo, seesAll, days, now, before, ...named }: Asked): Promise<FiguresPage> {
  const { pool } = world
  const step = days <= DAYS_BY_HOUR ? 'hour' : 'day'
  const stepMs = step === 'hour' ? HOUR_MS : DAY_MS
  const [steps, whole, channels, clock, merchants, span] = await Promise.all([
    figuresBySteps(pool, mchNo, now, step),
    figuresBySteps(pool, mchNo, before, 'day'),
    figuresByChannel(pool, mchNo, now),
    figuresByClock(pool, mchNo, now),
    mchNo === null && seesAll ? figuresByMerchant(pool, now, MERCHANTS_MAX) : [],
    countedSpan(pool),
  ])
  const begins = Array.from({ length: (days * DAY_MS) / stepMs }, (_, index) => now.from.getTime() + index * stepMs)
  const found = <Row extends Figures>(row: Row | undefined): FigureRow => rowOf(row ?? NOTHING)
  return {
    ...named,
    before_from: dayOf(before.from.getTime()),
    before_until: dayOf(before.until.getTime() - 1),
    at: span.countedAt?.toISOString() ?? null,
    since: span.first?.toISOString() ?? null,
    total: rowOf(summed(steps)),
    before: rowOf(summed(whole)),
    step,
    by_time: begins.map((ms) => ({
      at: new Date(ms).toISOString(),
      ...found(steps.find(({ beginsAt }) => +beginsAt === ms)),
    })),
    by_channel: channels.map(({ channel, method, ...sum }) => ({ channel, method, ...rowOf(sum) })),
    by_clock: Array.from({ length: 24 }, (_, hour) => ({ hour, ...found(clock.find((one) => one.hour === hour)) })),
    by_merchant: merchants.map(({ mchNo: mch_no, name, ...sum }) => ({ mch_no, name: name ?? '', ...rowOf(sum) })),
  }
}

async function figures(world: World, call: ConsoleCall): Promise<FiguresPage | Failed> {
  const asked = askedOf(call, world.now().getTime())
  return asked instanceof Failed ? asked : pageOf(world, asked)
}

async function csv(world: World, call: ConsoleCall): Promise<ConsoleFile | Failed> {
  const asked = askedOf(call, world.now().getTime())
  if (asked instanceof Failed) return asked
  const read = fieldsOf(call.query)
  const part: FigurePart = read.word('part', FIGURE_PARTS) ?? 'by_time'
  const language = read.word('language', ['zh', 'en']) ?? 'zh'
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const chunks = figuresCsv(await pageOf(world, asked), part, language)
  const file = `figures-${part.replaceAll('_', '-')}-${asked.from}-${asked.until}.csv`
  return { file, contentType: 'text/csv; charset=utf-8', chunks }
}

export const figureEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'figures', permission: 'orders.read', handle: figures },
  { method: 'GET', path: 'figures.csv', permission: 'orders.read', handle: csv },
]
