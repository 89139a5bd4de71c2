/** Holds the days that a month's file touches against the heads that were signed when they were over. */
import { type DayHeads, type Db, lastDayHeads, readDayHeads } from '@acopay/store'
import { expectedHead, markDay, readArchived } from '../../actions/audit/archived-days.ts'
import { DayDigest, headsOf, type TimelineHead } from '../../actions/audit/day-heads.ts'
import { checkedHeads, type KnownHeads } from '../../actions/audit/verify-heads.ts'
import type { FileHead } from './check-file.ts'
import type { MonthTools } from './tools.ts'

/** The stored heads of these days, as they are. */
export async function headsOfDays(db: Db, days: Iterable<string>): Promise<DayHeads[]> {
  const wanted = new Set(days)
  return (await readDayHeads(db)).filter(({ day }) => wanted.has(day))
}

async function signedDays({ pool, keys }: MonthTools): Promise<Map<string, KnownHeads>> {
  const { heads, findings } = checkedHeads(await readDayHeads(pool), keys, '数据库 database')
  const [first] = findings
  if (first !== undefined) throw new Error(`${first.zh} (${first.en})`)
  return new Map(heads.map((one) => [one.day, one]))
}

const byDay = (heads: FileHead[]): Map<string, FileHead[]> => {
  const days = new Map<string, FileHead[]>()
  for (const head of heads) days.set(head.day, [...(days.get(head.day) ?? []), head])
  return days
}

const differs = (mchNo: string, day: string): Error =>
  new Error(
    `${mchNo} ${day} 的时间线与日摘要不符，请先执行 audit verify (the timelines of that day are not what was signed: run audit verify first)`,
  )

/** Throws where the database's rows of one of these days are not those that were signed. Nothing has been taken out yet. */
export async function checkDays(tools: MonthTools, heads: FileHead[]): Promise<void> {
  const { pool, stamps } = tools
  const last = await lastDayHeads(pool)
  const missing = heads.find(({ day }) => last === null || day > last.day)
  if (missing !== undefined)
    throw new Error(
      `${missing.day} 的日摘要还没有做，请让网关运行一会儿 (the heads of that day are not made yet: let a gateway run for a while)`,
    )
  const signed = await signedDays(tools)
  const archived = await readArchived(pool, stamps)
  for (const [day, ofDay] of byDay(heads)) {
    const known = signed.get(day)
    // From before there were heads.
    if (known === undefined) continue
    const now = nowBy((await headsOf(tools, day)).timelines)
    for (const { mch_no } of ofDay) {
      const head = headIn(known, mch_no)
      if (now.get(mch_no)?.digest !== expectedHead(archived, day, head).digest) throw differs(mch_no, day)
    }
  }
}

function headIn({ day, timelines }: KnownHeads, mchNo: string): TimelineHead {
  const head = timelines.find((one) => one.mch_no === mchNo)
  if (head === undefined) throw differs(mchNo, day)
  return head
}

const nowBy = (timelines: TimelineHead[]): Map<string, TimelineHead> =>
  new Map(timelines.map((one) => [one.mch_no, one]))

/**
 * Writes down what is left of these days. `takenOut`: how many entries of each day and merchant this command has taken out of the
 * database, by `headKey`; null: they were brought back.
 */
export async function markDays(
  tools: MonthTools,
  heads: FileHead[],
  takenOut: ReadonlyMap<string, number> | null,
): Promise<void> {
  const { pool, stamps } = tools
  const signed = await signedDays(tools)
  const archived = await readArchived(pool, stamps)
  for (const [day, ofDay] of byDay(heads)) {
    const known = signed.get(day)
    if (known === undefined) continue
    const now = nowBy((await headsOf(tools, day)).timelines)
    for (const { mch_no } of ofDay) {
      const head = headIn(known, mch_no)
      const left = now.get(mch_no) ?? new DayDigest().head(mch_no)
      const before = expectedHead(archived, day, head)
      // A run that was ended after it had written this down.
      if (before.digest === left.digest) continue
      if (takenOut !== null && before.entries - (takenOut.get(headKey(day, mch_no)) ?? 0) !== left.entries)
        throw differs(mch_no, day)
      await markDay(pool, stamps, { day, signed: head, now: left })
    }
  }
}

export const headKey = (day: string, mchNo: string): string => `${day} ${mchNo}`
