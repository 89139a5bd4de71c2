/** Whether work costs the same whatever the number of orders: the table of `npm run bench:flat`. Pure. */
import { type Text, TITLES, type WorkName } from '../work/names.ts'
import { busyNote, type Line } from './line.ts'
import { aboutRun, BUSY_MARK, figure, head, type RunOf, row } from './markdown.ts'

export const FLAT_WORKS = ['close', 'place', 'query'] as const satisfies readonly WorkName[]

/** Measured on so many orders. */
export type Sized = Line & { size: number }

/** By so much two sizes may differ. */
const FLAT = 0.15

export type Flatness = { work: WorkName; lowest: number; highest: number; spread: number; isFlat: boolean }

/** What is highest against what is lowest, of the calls a second; null where one size alone was measured. */
export function flatness(sized: Sized[], work: WorkName): Flatness | null {
  const rates = sized.filter((one) => one.work === work).map(({ perSecond }) => perSecond)
  if (rates.length < 2) return null
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)]
  const spread = highest / lowest - 1
  return { work, lowest, highest, spread, isFlat: spread <= FLAT }
}

const HEADS: Record<keyof Text, string[]> = {
  en: ['work', 'orders', 'a second', 'of the first', 'p50 / p99 ms', 'gateway CPU', 'database CPU', 'WAL'],
  zh: ['工作', '订单数', '每秒', '与第一行之比', 'p50 / p99 毫秒', '网关 CPU', '数据库 CPU', 'WAL'],
}
const VERDICT_HEADS: Record<keyof Text, string[]> = {
  en: ['work', 'sizes differ by at most', 'within 15 %'],
  zh: ['工作', '各规模最多相差', '在15 %之内'],
}
const YES: Record<keyof Text, [string, string]> = { en: ['yes', '**no**'], zh: ['是', '**否**'] }

export function flatText(run: RunOf, sized: Sized[], language: keyof Text): string {
  const rows = FLAT_WORKS.flatMap((work) => {
    const lines = sized.filter((one) => one.work === work)
    return lines.map((line) =>
      row([
        TITLES[work][language] + (busyNote(line) === null ? '' : ' †'),
        ...[String(line.size), figure(line.perSecond)],
        `× ${(line.perSecond / (lines[0]?.perSecond ?? line.perSecond)).toFixed(2)}`,
        `${figure(line.p50 ?? 0)} / ${figure(line.p99 ?? 0)}`,
        ...[figure(line.gateway), figure(line.database), line.walBytes.toFixed(0)],
      ]),
    )
  })
  const [yes, no] = YES[language]
  const verdicts = FLAT_WORKS.flatMap((work) => flatness(sized, work) ?? []).map(({ work, spread, isFlat }) =>
    row([TITLES[work][language], `${(100 * spread).toFixed(0)} %`, isFlat ? yes : no]),
  )
  const parts = [
    aboutRun(run, sized)[language],
    [...head(HEADS[language]), ...rows].join('\n'),
    ...(sized.some((line) => busyNote(line) !== null) ? [BUSY_MARK[language]] : []),
    ...(verdicts.length > 0 ? [[...head(VERDICT_HEADS[language]), ...verdicts].join('\n')] : []),
  ]
  return parts.join('\n\n')
}
