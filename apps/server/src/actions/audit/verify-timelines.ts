/** Checks every timeline: its chain, its stamps, the order's row beside it; and adds up the digests of its days. */
import { dayOf } from '@acopay/core'
import { brokenAt, type Db, type Stamps, timelinePages, unstampedAt, type WholeTimeline } from '@acopay/store'
import { DayDigest } from './day-heads.ts'
import type { Finding, Verified } from './findings.ts'

export type Which = { mchNo: string | null; from: Date | null; until: Date | null }

export type VerifiedTimelines = Verified & {
  orders: number
  /** The entries of each day and merchant, by `dayKey`. */
  digests: Map<string, DayDigest>
}

export const dayKey = (day: string, mchNo: string): string => `${day} ${mchNo}`

/** `progress` is called after each page. */
export async function verifyTimelines(
  db: Db,
  stamps: Stamps,
  which: Which,
  progress: (orders: number) => void,
): Promise<VerifiedTimelines> {
  const found: VerifiedTimelines = { findings: [], count: 0, unstamped: 0, orders: 0, digests: new Map() }
  for await (const page of timelinePages(db, which)) {
    for (const one of page) {
      found.findings.push(...problemsOf(one, stamps))
      for (const { seq, at, hash, mac } of one.entries) {
        found.count += 1
        if (mac === null) found.unstamped += 1
        const key = dayKey(dayOf(at.getTime()), one.mchNo)
        const digest = found.digests.get(key) ?? new DayDigest()
        digest.add({ transactionNo: one.transactionNo, seq, hash })
        found.digests.set(key, digest)
      }
    }
    found.orders += page.length
    progress(found.orders)
  }
  return found
}

type Last = { to?: unknown; mchTradeNo?: unknown }

const entryOf = (text: string | undefined): Last => {
  try {
    return JSON.parse(text ?? '{}') as Last
  } catch {
    return {}
  }
}

function problemsOf(one: WholeTimeline, stamps: Stamps): Finding[] {
  const { mchNo, transactionNo, entries } = one
  const where = `${mchNo} ${transactionNo}`
  const chain = brokenAt(entries, mchNo, transactionNo, one)
  const stamp = unstampedAt(entries, one, stamps)
  const problems: Finding[] = []
  if (chain !== null) {
    const what =
      chain > entries.length
        ? ['之后有删除', 'is followed by a removed one']
        : ['被改动、增加或删除', 'was changed, added or removed']
    problems.push({ zh: `${where} 时间线第${chain}条${what[0]}`, en: `timeline entry ${chain} ${what[1]}` })
  }
  if (stamp !== null) {
    problems.push({
      zh: `${where} 时间线第${stamp}条印记不符`,
      en: `timeline entry ${stamp} was not written here by a gateway`,
    })
  }
  const { to } = entryOf(entries.at(-1)?.entry)
  if (to !== undefined && to !== one.state) {
    problems.push({
      zh: `${where} 订单状态${one.state}与时间线${String(to)}不符`,
      en: `the order is ${one.state}, its timeline says ${String(to)}`,
    })
  }
  const { mchTradeNo } = entryOf(entries[0]?.entry)
  if (mchTradeNo !== undefined && mchTradeNo !== one.mchTradeNo) {
    problems.push({ zh: `${where} 商户订单号被改动`, en: "the merchant's number in the order was changed" })
  }
  return problems
}
