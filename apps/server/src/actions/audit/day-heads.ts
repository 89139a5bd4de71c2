/**
 * The heads of a day that is over: for each merchant a digest over the timelines' entries of that day, and the audit log's last row;
 * signed with the platform key. They are stored, and printed in the log, from where they leave this machine: rows that were cut off
 * later show against them.
 */
import { createHash, type Hash } from 'node:crypto'
import { DAY_MS, dayBounds, dayOf } from '@acopay/core'
import {
  type DayEntry,
  type DayHeads,
  insertDayHeads,
  lastDayHeads,
  leaseDayHeads,
  readEntriesOf,
  releaseDayHeads,
} from '@acopay/store'
import { lastAuditBefore } from '@acopay/store/console'
import { stampedSince } from '../../security/stamps.ts'
import type { World } from '../../world.ts'

/** `entries`: how many; `digest`: over all of them. */
export type TimelineHead = { mch_no: string; entries: number; digest: string }

/** Numbers are texts, since they may be larger than JSON's. `audit`: null while the audit log was empty. */
export type Heads = { day: string; timelines: TimelineHead[]; audit: { seq: string; mac: string } | null }

/** The text that is signed begins so, so that no other signature of the platform can be taken for it. */
export const signedText = (heads: string): string => `acopay day heads v1\n${heads}`

/** A merchant's entries of one day, added in the order of their keys. */
export class DayDigest {
  readonly #hash: Hash = createHash('sha256')
  entries = 0

  add({ transactionNo, seq, hash }: Omit<DayEntry, 'mchNo'>): void {
    this.#hash.update(`${transactionNo} ${seq} ${hash.toString('hex')}\n`)
    this.entries += 1
  }

  head(mchNo: string): TimelineHead {
    return { mch_no: mchNo, entries: this.entries, digest: this.#hash.copy().digest('hex') }
  }
}

/** The heads of a day as the database is now. */
export async function headsOf({ pool }: Pick<World, 'pool'>, day: string): Promise<Heads> {
  const { fromMs, untilMs } = dayBounds(day)
  const bounds = { from: new Date(fromMs), until: new Date(untilMs) }
  const digests = new Map<string, DayDigest>()
  await readEntriesOf(pool, bounds, (entries) => {
    for (const { mchNo, ...entry } of entries) {
      const digest = digests.get(mchNo) ?? new DayDigest()
      digest.add(entry)
      digests.set(mchNo, digest)
    }
  })
  const last = await lastAuditBefore(pool, bounds.until)
  return {
    day,
    timelines: [...digests].map(([mchNo, digest]) => digest.head(mchNo)),
    audit: last === null ? null : { seq: String(last.seq), mac: last.mac.toString('hex') },
  }
}

/** A day takes no more rows an hour after its end: no statement, and no clock in doubt, goes on for so long. */
const MADE_AFTER_MS = 3_600_000
/** Longer than the largest day takes. */
const LEASE_MS = 1_800_000

/** Makes the heads of the days that are over, the oldest first. Returns the days. */
export async function makeDueHeads(world: World, signal?: AbortSignal): Promise<string[]> {
  if (world.clockDoubt() !== null) return []
  const now = world.now()
  let day = await nextDay(world)
  const due = dayOf(now.getTime() - DAY_MS - MADE_AFTER_MS)
  if (day === null || day > due) return []
  if (!(await leaseDayHeads(world.pool, now, new Date(now.getTime() + LEASE_MS)))) return []
  const made: string[] = []
  for (; day <= due && signal?.aborted !== true; day = dayAfter(day)) {
    if (await makeHeads(world, day)) made.push(day)
  }
  await releaseDayHeads(world.pool, new Date(now.getTime() + LEASE_MS), now)
  return made
}

/** The day after the newest heads. Removed heads of earlier days are not made again, because their rows may have been changed. */
async function nextDay({ pool, stamps }: World): Promise<string | null> {
  const last = await lastDayHeads(pool)
  if (last !== null) return dayAfter(last.day)
  const since = await stampedSince(pool, stamps, 'timeline')
  return since === null ? null : dayOf(since.getTime())
}

export const dayAfter = (day: string): string => dayOf(dayBounds(day).untilMs)

async function makeHeads(world: World, day: string): Promise<boolean> {
  const heads = await headsOf(world, day)
  const text = JSON.stringify(heads)
  const { keyId, sign } = world.signingKey()
  const made: DayHeads = { day, heads: text, keyId, signature: await sign(signedText(text)) }
  if (!(await insertDayHeads(world.pool, made))) return false
  for (const { mch_no: mchNo, ...head } of heads.timelines) world.log.info({ day, mchNo, ...head }, 'head of a day')
  const { timelines, audit } = heads
  const digest = createHash('sha256').update(text, 'utf8').digest('hex')
  world.log.info(
    { day, merchants: timelines.length, audit, digest, keyId, signature: made.signature },
    'heads of a day',
  )
  return true
}
