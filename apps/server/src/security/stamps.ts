/**
 * Keyed hashes over rows that must not be rewritten. Their keys are sealed with the master key, which is not in the database. Whoever
 * can write the database can change such a row, but cannot make its hash.
 */
import { createHmac } from 'node:crypto'
import { beginStampingAt, type Db, type EntryStamp, entryStamp, isStamped, readStamping } from '@acopay/store'
import { type AuditMark, type AuditStamp, chainedText } from '@acopay/store/console'
import type { Purpose } from './purpose-keys.ts'

export type Stamps = {
  /** Of a timeline's entry. */
  entry: EntryStamp
  /** Of a row of the audit log. */
  audit: AuditStamp
  /** Of the mark that the retention leaves in place of rows of the audit log. */
  auditMark: (mark: Omit<AuditMark, 'mac'>) => Buffer
  /** Of a statement that the gateway wrote down for itself. */
  statement: (text: string) => Buffer
}

export function stampsOf(purposeKey: (purpose: Purpose) => Buffer): Stamps {
  const [auditKey, statementKey] = [purposeKey('audit stamp'), purposeKey('statement stamp')]
  const statement = (text: string): Buffer => createHmac('sha256', statementKey).update(text, 'utf8').digest()
  return {
    entry: entryStamp(purposeKey('timeline stamp')),
    audit: (previous, row) => createHmac('sha256', auditKey).update(previous).update(chainedText(row), 'utf8').digest(),
    auditMark: ({ untilSeq, lastMac, removedAt }) =>
      statement(`audit mark\n${untilSeq}\n${lastMac.toString('hex')}\n${removedAt.toISOString()}`),
    statement,
  }
}

/** Rows of one kind, which began to be stamped together. */
type What = 'timeline' | 'audit'

const beginning = (what: What, since: Date): string => `stamping\n${what}\n${since.toISOString()}`

/** The moment since which every row must have a keyed hash. Null when it is not stored, or not stored by a gateway: then all rows must. */
export async function stampedSince(db: Db, stamps: Stamps, what: What): Promise<Date | null> {
  const row = await readStamping(db, what)
  if (row === null || !stamps.statement(beginning(what, row.since)).equals(row.mac)) return null
  return row.since
}

/** While a new version starts, processes of the old one may go on for this long, and write rows without a keyed hash. */
const OLD_VERSION_MS = 3_600_000

/**
 * Stores once when stamping begins: now in an empty database, in an hour after an upgrade. False when the stored moment was removed or
 * changed, which the gateway itself never does.
 */
export async function beginStamping(db: Db, stamps: Stamps, now: Date): Promise<boolean> {
  const timelines = await begin(db, stamps, 'timeline', now)
  return (await begin(db, stamps, 'audit', now)) && timelines
}

async function begin(db: Db, stamps: Stamps, what: What, now: Date): Promise<boolean> {
  if ((await readStamping(db, what)) === null) {
    const found = await isStamped(db, what)
    if (found === 'stamped') return false
    const since = found === 'empty' ? now : new Date(now.getTime() + OLD_VERSION_MS)
    await beginStampingAt(db, { what, since, mac: stamps.statement(beginning(what, since)) })
  }
  return (await stampedSince(db, stamps, what)) !== null
}
