/** What heads of days are held against where orders were archived: the rows that were left then, under the gateway's keyed hash. */
import {
  type ArchivedDay,
  type Db,
  listArchives,
  readArchivedDays,
  removeArchivedDay,
  writeArchivedDay,
} from '@acopay/store'
import type { Stamps } from '../../security/stamps.ts'
import type { TimelineHead } from './day-heads.ts'
import type { Finding } from './findings.ts'
import { dayKey } from './verify-timelines.ts'

/** `left`: by `dayKey`. `unfinished`: days, from and to, of files whose orders are being taken out or brought back. */
export type Archived = {
  left: ReadonlyMap<string, ArchivedDay>
  unfinished: { archiveNo: string; from: string; to: string }[]
}

export const NOTHING_ARCHIVED: Archived = { left: new Map(), unfinished: [] }

const text = ({ mchNo, day, entries, digest }: ArchivedDay): string =>
  `archived day\n${mchNo}\n${day}\n${entries}\n${digest}`

/** A mark that no gateway has written counts for nothing. */
export async function readArchived(db: Db, stamps: Stamps): Promise<Archived & { findings: Finding[] }> {
  const findings: Finding[] = []
  const left = new Map<string, ArchivedDay>()
  for (const { mac, ...one } of await readArchivedDays(db)) {
    if (stamps.statement(text(one)).equals(mac)) left.set(dayKey(one.day, one.mchNo), one)
    else
      findings.push({
        zh: `${one.mchNo} ${one.day} 的归档标记是伪造的`,
        en: 'the mark of what was left of that day after an archiving is forged',
      })
  }
  const under = (await listArchives(db)).filter(({ state }) => state === 'REMOVING' || state === 'RESTORING')
  const unfinished = under.map(({ archiveNo, lastDay }) => ({
    archiveNo,
    from: `${archiveNo.slice(0, 7)}-01`,
    to: lastDay ?? '',
  }))
  for (const { archiveNo } of unfinished)
    findings.push({
      zh: `归档 ${archiveNo} 没有做完，请再执行一次；它涉及的日子未核对`,
      en: `the archive ${archiveNo} was not finished: run its command again; its days were not compared`,
    })
  return { left, unfinished, findings }
}

/** Writes down what is left now; where that is all that was signed, nothing is written down. */
export async function markDay(
  db: Db,
  stamps: Stamps,
  { day, signed, now }: { day: string; signed: TimelineHead; now: TimelineHead },
): Promise<void> {
  const { entries, digest } = now
  const mark = { mchNo: signed.mch_no, day, entries, digest }
  if (digest === signed.digest) await removeArchivedDay(db, mark)
  else await writeArchivedDay(db, mark, stamps.statement(text(mark)))
}

/** What a merchant's day is held against. */
export function expectedHead(
  { left }: Pick<Archived, 'left'>,
  day: string,
  signed: TimelineHead,
): Pick<TimelineHead, 'entries' | 'digest'> {
  return left.get(dayKey(day, signed.mch_no)) ?? signed
}
