/** Checks the console's audit log: numbers without a gap, the keyed hash of each row, the marks of the retention, the head. */
import type { Db } from '@acopay/store'
import { readAuditChain, readAuditHead, readAuditMarks, type StampedRow, unchainedAudit } from '@acopay/store/console'
import type { Stamps } from '../../security/stamps.ts'
import type { Finding, Verified } from './findings.ts'

export type VerifiedAudit = Verified & {
  /** Up to here the retention has removed rows. */
  removedUntil: bigint
  /** The keyed hash at each of the numbers in `wanted`; null where the row is gone. */
  macs: Map<bigint, string>
  last: bigint
}

const PAGE = 2000

/** `wanted`: the numbers of the rows whose keyed hashes are in the heads of days. */
export async function verifyAuditLog(
  db: Db,
  { stamps, since, wanted }: { stamps: Stamps; since: Date | null; wanted: Set<bigint> },
): Promise<VerifiedAudit> {
  const head = await readAuditHead(db)
  const { findings, until, mac } = await marksOf(db, stamps)
  const chain = new Chain(stamps, { seq: until, mac })
  const macs = new Map<bigint, string>()
  for (let after = 0n; ; ) {
    const rows = await readAuditChain(db, after, PAGE)
    for (const row of rows) {
      findings.push(...chain.take(row))
      if (wanted.has(row.seq)) macs.set(row.seq, row.mac.toString('hex'))
    }
    after = rows.at(-1)?.seq ?? after
    if (rows.length < PAGE) break
  }
  const end = chain.end
  // Rows that a gateway has added since the head was read do not matter.
  if (head === null || head.seq > end.seq || (head.seq === end.seq && !head.mac.equals(end.mac))) {
    const last = head === null ? '?' : String(head.seq)
    findings.push({
      zh: `审计日志末尾被删除：应到第${last}行，只到第${end.seq}行`,
      en: `the end of the audit log was removed: it should go on to row ${last}, and ends at ${end.seq}`,
    })
  }
  const unchained = await unchainedAudit(db, since)
  for (const auditNo of unchained.after) {
    findings.push({ zh: `审计日志 ${auditNo} 没有编号和印记`, en: 'an audit entry without number and stamp was added' })
  }
  return { findings, count: chain.count, unstamped: unchained.before, removedUntil: until, macs, last: end.seq }
}

/** What the retention has removed; a mark that it did not write counts for nothing. */
async function marksOf(db: Db, stamps: Stamps): Promise<{ findings: Finding[]; until: bigint; mac: Buffer }> {
  const findings: Finding[] = []
  let [until, mac] = [0n, Buffer.alloc(0)]
  for (const { mac: stamp, ...mark } of await readAuditMarks(db)) {
    if (stamps.auditMark(mark).equals(stamp)) [until, mac] = [mark.untilSeq, mark.lastMac as Buffer<ArrayBuffer>]
    else {
      findings.push({
        zh: `审计日志的清理标记（第${mark.untilSeq}行）是伪造的`,
        en: `the mark of a retention (row ${mark.untilSeq}) is forged`,
      })
    }
  }
  return { findings, until, mac }
}

class Chain {
  readonly #stamps: Stamps
  end: { seq: bigint; mac: Buffer }
  count = 0

  constructor(stamps: Stamps, begin: { seq: bigint; mac: Buffer }) {
    this.#stamps = stamps
    this.end = begin
  }

  /** What is wrong with the next row. After a gap its own keyed hash cannot be checked: the row before it is gone. */
  take({ mac, ...row }: StampedRow): Finding[] {
    const { seq, mac: previous } = this.end
    this.count += 1
    this.end = { seq: row.seq, mac }
    if (row.seq <= seq) return [{ zh: `审计日志第${row.seq}行是增加的`, en: `audit row ${row.seq} was added` }]
    if (row.seq > seq + 1n) {
      const gone = row.seq === seq + 2n ? String(seq + 1n) : `${seq + 1n}–${row.seq - 1n}`
      return [{ zh: `审计日志第${gone}行被删除`, en: `audit row ${gone} was removed` }]
    }
    if (this.#stamps.audit(previous, row).equals(mac)) return []
    return [{ zh: `审计日志第${row.seq}行（${row.auditNo}）被改动`, en: `audit row ${row.seq} was changed` }]
  }
}
