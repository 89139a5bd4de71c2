/**
 * The log of merchants' calls. A call is kept in memory when its answer has left, and written with others a moment later, so
 * that no call waits for it. What is lost with a process is a second of a log.
 */
import { addCalls, type CallKind, forgetCalls, type LoggedCall, type Pool } from '@acopay/store'
import type { CallLog, World } from '../../world.ts'

/** How many calls whose signature did not verify are kept of a merchant. Of others there is a setting. */
const UNPROVEN_MAX = 200

/** How long a call is kept. */
const KEPT_MS = 7 * 24 * 3_600_000

/** In memory, of all merchants. What comes beyond is counted as left out. */
const WAITING_MAX = 5000

const FORGOTTEN_AT_ONCE = 5000

export function callLog({ pool, log, max }: { pool: Pool; log: World['log']; max: number }): CallLog {
  let waiting = new Map<string, { mchNo: string; kind: CallKind; calls: LoggedCall[] }>()
  let count = 0
  return {
    isOn: max > 0,
    add(mchNo, kind, call) {
      if (count >= WAITING_MAX) return
      count += 1
      const key = `${kind} ${mchNo}`
      const group = waiting.get(key) ?? { mchNo, kind, calls: [] }
      waiting.set(key, group)
      group.calls.push(call)
    },
    async write() {
      const groups = waiting
      waiting = new Map()
      count = 0
      for (const { mchNo, kind, calls } of groups.values()) {
        const kept = kind === 'unproven' ? Math.min(max, UNPROVEN_MAX) : max
        await addCalls(pool, { mchNo, kind, max: kept }, calls).catch((err: unknown) =>
          log.warn({ err, mchNo, calls: calls.length }, 'calls not logged'),
        )
      }
    },
  }
}

/** Removes calls that are older than they are kept. */
export const forgetOldCalls = ({ pool, now, groupOf }: World): Promise<number> =>
  forgetCalls(pool, new Date(now().getTime() - KEPT_MS), FORGOTTEN_AT_ONCE, groupOf)
