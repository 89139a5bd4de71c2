/** Holds what the rows are now against the heads of days: those in the database, and those that were exported to somewhere else. */
import { verifyText } from '@acopay/protocol'
import type { DayHeads } from '@acopay/store'
import type { ProvenKey } from '../../security/platform-key.ts'
import { type Archived, expectedHead, NOTHING_ARCHIVED } from './archived-days.ts'
import { DayDigest, dayAfter, type Heads, signedText } from './day-heads.ts'
import type { Finding } from './findings.ts'
import type { VerifiedAudit } from './verify-audit-log.ts'
import { dayKey, type VerifiedTimelines } from './verify-timelines.ts'

/** A day's heads whose signature was checked. `where`: the database, or a file. */
export type KnownHeads = Heads & { where: string }

/** Reads heads; those whose signature is not the platform's are findings. */
export function checkedHeads(
  all: DayHeads[],
  keys: ProvenKey[],
  where: string,
): { heads: KnownHeads[]; findings: Finding[] } {
  const heads: KnownHeads[] = []
  const findings: Finding[] = []
  for (const one of all) {
    const key = keys.find(({ keyId }) => keyId === one.keyId)
    const isSigned = key !== undefined && verifyText(signedText(one.heads), one.signature, key.publicKey)
    const read = isSigned ? (JSON.parse(one.heads) as Heads) : null
    if (read === null || read.day !== one.day) {
      findings.push({
        zh: `${where} ${one.day} 日摘要签名不符`,
        en: `the heads of ${one.day} are not signed by the platform`,
      })
    } else heads.push({ ...read, where })
  }
  return { heads, findings }
}

/** Days without heads between the first and the last. */
export function missingDays(heads: KnownHeads[]): Finding[] {
  const days = heads.map(({ day }) => day).sort()
  return days.slice(1).flatMap((day, index) => {
    const expected = dayAfter(days[index] ?? '')
    return day === expected ? [] : [{ zh: `${expected} 的日摘要被删除`, en: `the heads of ${expected} were removed` }]
  })
}

/** Exported heads that the database does not have any more, or has as others. */
export const goneFrom = (stored: KnownHeads[], exported: KnownHeads[]): Finding[] =>
  exported.flatMap((one) => {
    const own = stored.find(({ day }) => day === one.day)
    if (own !== undefined && JSON.stringify({ ...own, where: '' }) === JSON.stringify({ ...one, where: '' })) return []
    return [
      {
        zh: `数据库中 ${one.day} 的日摘要被删除或改动`,
        en: `the heads of ${one.day} in the database were removed or changed`,
      },
    ]
  })

type Beside = { log: VerifiedAudit | null; mchNo: string | null; archived?: Archived }

/** What differs from one day's heads, or from what was left of the day when orders were archived. `mchNo`: only this merchant's. */
export function differences(
  { where, day, timelines, audit }: KnownHeads,
  { digests }: Pick<VerifiedTimelines, 'digests'>,
  { log, mchNo, archived = NOTHING_ARCHIVED }: Beside,
): Finding[] {
  const findings: Finding[] = []
  const isUnfinished = archived.unfinished.some(({ from, to }) => from <= day && day <= to)
  const named = new Set(timelines.map((head) => head.mch_no))
  const later = [...digests].flatMap(([key, digest]) => {
    const [ofDay, mch_no = ''] = key.split(' ')
    return ofDay === day && !named.has(mch_no) ? [{ head: digest.head(mch_no), was: 0 }] : []
  })
  for (const { head } of later) {
    findings.push({
      zh: `${head.mch_no} ${day} 增加了${head.entries}条时间线（${where}）`,
      en: `${head.entries} timeline entries were added to that day (${where})`,
    })
  }
  for (const { mch_no, entries, digest } of timelines) {
    if (isUnfinished || (mchNo !== null && mch_no !== mchNo)) continue
    const expected = expectedHead(archived, day, { mch_no, entries, digest })
    const now = (digests.get(dayKey(day, mch_no)) ?? new DayDigest()).head(mch_no)
    if (now.digest === expected.digest) continue
    findings.push({
      zh: `${mch_no} ${day} 的时间线与日摘要不符：当时${expected.entries}条，现在${now.entries}条（${where}）`,
      en: `that day's timeline entries are not what they were: ${expected.entries} then, ${now.entries} now (${where})`,
    })
  }
  if (log === null || audit === null || BigInt(audit.seq) <= log.removedUntil) return findings
  if (log.macs.get(BigInt(audit.seq)) !== audit.mac) {
    findings.push({
      zh: `审计日志第${audit.seq}行与 ${day} 日摘要不符（${where}）`,
      en: `audit row ${audit.seq} is not what it was at the end of ${day} (${where})`,
    })
  }
  return findings
}
