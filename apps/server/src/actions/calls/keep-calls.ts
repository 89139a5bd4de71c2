/**
 * The log of merchants' calls. A call is kept in memory when its answer has left, and written with others a moment later, so
 * that no call waits for it. What is lost with a process is a second of a log.
 */
import { addCalls, type CallsOfOne, forgetCalls, type Pool, trimCalls } from '@acopay/store'
import { LRUCache } from 'lru-cache'
import { growingTo } from '../../growing-to.ts'
import type { CallLog, World } from '../../world.ts'

/** How many calls whose signature did not verify are kept of a merchant. Of others there is a setting. */
const UNPROVEN_MAX = 200

/** How long a call is kept. */
const KEPT_MS = 7 * 24 * 3_600_000

/** In memory, of all merchants. What comes beyond is counted as left out. */
const WAITING_MAX = 5000

const FORGOTTEN_AT_ONCE = 5000

/** In one statement: a stranger may fill a call's row with some kilobytes. */
const WRITTEN_TOGETHER = 500

/** A merchant's calls are trimmed when a process has added this share of those that are kept: so much more may be there. */
const TRIM_SHARE = 0.1

/** Merchants and kinds whose added calls are counted. The others' are trimmed at every write. */
const TRIMMED_MAX = 20_000

type Wiring = { pool: Pool; log: World['log']; max: number }

export function callLog({ pool, log, max }: Wiring): CallLog {
  let waiting = new Map<string, CallsOfOne>()
  let count = 0
  /** By kind and merchant: how many calls this process has added since it last trimmed them. */
  const added = new LRUCache<string, number>(growingTo(TRIMMED_MAX))

  /** Of the first calls that a process writes nobody knows how many there are, so they are trimmed at once. */
  async function trim(key: string, { mchNo, kind, calls }: CallsOfOne): Promise<void> {
    const kept = kind === 'unproven' ? Math.min(max, UNPROVEN_MAX) : max
    const sum = (added.get(key) ?? kept) + calls.length
    added.set(key, sum)
    if (sum < kept * TRIM_SHARE) return
    await trimCalls(pool, { mchNo, kind, max: kept })
    added.set(key, 0)
  }

  /** Each merchant by itself where the calls of all cannot be written, so that one cannot take the others' along. */
  async function addAll(lists: CallsOfOne[]): Promise<void> {
    try {
      await addCalls(pool, lists)
    } catch (err) {
      if (lists.length > 1) for (const one of lists) await addAll([one])
      else log.warn({ err, mchNo: lists[0]?.mchNo, calls: lists[0]?.calls.length }, 'calls not logged')
    }
  }

  return {
    isOn: max > 0,
    add(mchNo, kind, call) {
      if (count >= WAITING_MAX) return
      count += 1
      const key = `${kind} ${mchNo}`
      const list = waiting.get(key) ?? { mchNo, kind, calls: [] }
      waiting.set(key, list)
      list.calls.push(call)
    },
    async write() {
      const written = waiting
      waiting = new Map()
      count = 0
      for (const lists of inParts([...written.values()])) await addAll(lists)
      for (const [key, list] of written)
        await trim(key, list).catch((err: unknown) => log.warn({ err, mchNo: list.mchNo }, 'calls not trimmed'))
    },
  }
}

/** So many calls for one statement, or all of one merchant. */
function inParts(lists: CallsOfOne[]): CallsOfOne[][] {
  const parts: CallsOfOne[][] = []
  let room = 0
  for (const list of lists) {
    if (list.calls.length > room) {
      parts.push([])
      room = WRITTEN_TOGETHER
    }
    parts.at(-1)?.push(list)
    room -= list.calls.length
  }
  return parts
}

/** Removes calls that are older than they are kept. */
export const forgetOldCalls = ({ pool, now, overAll }: World): Promise<number> =>
  overAll((spread) => forgetCalls(pool, new Date(now().getTime() - KEPT_MS), FORGOTTEN_AT_ONCE, spread))
