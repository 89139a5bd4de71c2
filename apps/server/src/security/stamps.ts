/**
 * Keyed hashes over rows that nobody may rewrite. Their keys lie in the database sealed with the master key, which is not in it: who writes the
 * database can change such a row, and cannot make its hash.
 */
import { createHmac } from 'node:crypto'
import { beginStampingAt, type Db, type EntryStamp, entryStamp, isStamped, readStamping } from '@acopay/store'
import type { Purpose } from './purpose-keys.ts'

export type Stamps = {
  /** Of a timeline's entry. */
  entry: EntryStamp
  /** Of a statement that the gateway wrote down for itself. */
  statement: (text: string) => Buffer
}

export function stampsOf(purposeKey: (purpose: Purpose) => Buffer): Stamps {
  const statementKey = purposeKey('statement stamp')
  return {
    entry: entryStamp(purposeKey('timeline stamp')),
    statement: (text) => createHmac('sha256', statementKey).update(text, 'utf8').digest(),
  }
}

type What = 'timeline'

const beginning = (what: What, since: Date): string => `stamping\n${what}\n${since.toISOString()}`

/** The moment from which on rows must have a keyed hash. Null where none is written down, or by somebody else: then all must. */
export async function stampedSince(db: Db, stamps: Stamps, what: What): Promise<Date | null> {
  const row = await readStamping(db, what)
  if (row === null || !stamps.statement(beginning(what, row.since)).equals(row.mac)) return null
  return row.since
}

/** While a new version starts, processes of the old one may go on for this long, and write rows without a keyed hash. */
const OLD_VERSION_MS = 3_600_000

/**
 * Writes down when stamping begins, once: at the first start with an empty database at once, after an upgrade in an hour. False when it was
 * written down before and is gone or was changed: then somebody has been at the database.
 */
export async function beginStamping(db: Db, stamps: Stamps, now: Date): Promise<boolean> {
  if ((await readStamping(db, 'timeline')) === null) {
    const found = await isStamped(db)
    if (found === 'stamped') return false
    const since = found === 'empty' ? now : new Date(now.getTime() + OLD_VERSION_MS)
    await beginStampingAt(db, { what: 'timeline', since, mac: stamps.statement(beginning('timeline', since)) })
  }
  return (await stampedSince(db, stamps, 'timeline')) !== null
}
