/**
 * Looks for due work, for all who have nothing to do in this process: one statement for all of them, at most one in each pause. The work
 * itself is then leased, as if there had been no look.
 */
import { type DueTimes, readDueTimes } from '@acopay/store'
import type { World } from '../world.ts'

/** What there may be to do. */
export type Due = Record<keyof DueTimes, boolean>

export const ALL_DUE: Due = { expiry: true, nonces: true, jobs: true, notifications: true }
const NOTHING_DUE: Due = { expiry: false, nonces: false, jobs: false, notifications: false }

/** Waits for a pause, or for less where another one has waited longer, and says what is due then; at once when the signal aborts. */
export type Lookout = (signal: AbortSignal) => Promise<Due>

type Waiting = { found: Promise<Due> | null; awake: AbortController }

export function lookout(world: World, pauseMs: number): Lookout {
  const waiting = new Set<Waiting>()

  /** Looks for everybody who waits now: what they did before is done, so they may be told the same. */
  function lookForAll(): Promise<Due> {
    const found = look(world)
    for (const one of waiting) {
      one.found = found
      one.awake.abort()
    }
    waiting.clear()
    return found
  }

  return async (signal) => {
    const one: Waiting = { found: null, awake: new AbortController() }
    const leave = (): void => one.awake.abort()
    waiting.add(one)
    signal.addEventListener('abort', leave)
    if (!signal.aborted) await world.sleep(pauseMs, one.awake.signal)
    signal.removeEventListener('abort', leave)
    waiting.delete(one)
    if (signal.aborted) return NOTHING_DUE
    return one.found ?? lookForAll()
  }
}

/** If the database does not answer, everything is tried, and each says what it could not do. */
async function look(world: World): Promise<Due> {
  try {
    const since = await world.overAll(async ({ reach }) => (reach === null ? readDueTimes(world.pool) : null))
    // While not everybody can be asked, everything is tried.
    if (since === null) return ALL_DUE
    const [now, sureNow] = [world.now().getTime(), world.sureNow().getTime()]
    const isBy = (ms: number, at: Date | null): boolean => at !== null && at.getTime() <= ms
    return {
      expiry: isBy(sureNow, since.expiry),
      nonces: isBy(sureNow - world.limits.nonceWindowMs, since.nonces),
      jobs: isBy(now, since.jobs),
      notifications: isBy(now, since.notifications),
    }
  } catch {
    return ALL_DUE
  }
}
