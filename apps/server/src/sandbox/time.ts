/**
 * Sandbox mode only: the clock that can be moved ahead (docs/sandbox.md). It is moved from one moment at which something is due to
 * the next, and the work of each is done there: what happens is what would have happened if the time had passed.
 */
import { nextBillMs } from '@acopay/core'
import { timeText } from '@acopay/protocol'
import type { SandboxTime } from '@acopay/protocol/console'
import { moveAhead, nextDue, readAheadMs } from '@acopay/store/sandbox'
import type { World } from '../world.ts'
import { readMoment, type Told } from './time-text.ts'

/** How long the work of the moments on the way may take. Then the clock goes to its end at once. */
const ON_THE_WAY_MS = 30_000
/** Jobs are done at so many moments on the way: most of them ask an upstream again and again. */
const STOPS = 48
/** How often a process looks whether another one has moved the clock. */
const LOOK_MS = 200

export type TimeParts = {
  world: World
  /** Moves the clock of this process. */
  setAheadMs: (ms: number) => Promise<void>
  /** Has the rounds of the background work done by hand while the clock moves. */
  byHand: <Result>(work: (round: () => Promise<number>) => Promise<Result>) => Promise<Result>
  /** Sends the upstreams' webhooks that are due. */
  deliverDue: () => Promise<void>
}

export type SandboxClock = {
  read: () => SandboxTime
  /** Moves to a moment as the user writes it. The refusal is a text; null where this process stops on the way. */
  move: (to: unknown) => Promise<SandboxTime | Told | null>
}

type Following = { world: Pick<World, 'pool' | 'aheadMs' | 'sleep'>; setAheadMs: TimeParts['setAheadMs'] }

const followIn = async ({ world, setAheadMs }: Following): Promise<void> => {
  const aheadMs = await readAheadMs(world.pool)
  if (aheadMs > world.aheadMs()) await setAheadMs(aheadMs)
}

/** Takes over what other processes do, until stopped. */
export function keepFollowing(parts: Following): { stop: () => Promise<void> } {
  const stopping = new AbortController()
  const keepOn = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      // A database that is lost is logged by all who ask it for more.
      await followIn(parts).catch(() => {})
      await parts.world.sleep(LOOK_MS, stopping.signal)
    }
  }
  const following = keepOn()
  return {
    stop: () => {
      stopping.abort()
      return following
    },
  }
}

export function sandboxClock(parts: TimeParts): SandboxClock {
  const { world, byHand } = parts
  const read = (): SandboxTime => ({ time: timeText(world.now()), ahead_s: Math.round(world.aheadMs() / 1000) })
  return {
    read,
    async move(to) {
      const asked = readMoment(to, world)
      if (typeof asked !== 'number') return asked
      return byHand(async (round) => {
        await followIn(parts)
        // Another move may have come before.
        const untilMs = readMoment(to, world)
        if (typeof untilMs !== 'number') return untilMs
        // The work on the way takes time, which passes beside: `+30s` moves by thirty seconds, however long that work takes.
        const untilAheadMs = world.aheadMs() + untilMs - world.now().getTime()
        if (!(await goTo(parts, untilAheadMs, round))) return null
        // By then the other processes have looked, too.
        await world.sleep(2 * LOOK_MS)
        return read()
      })
    },
  }
}

/** Goes there by way of every moment at which something is due. False where this process stops on the way. */
async function goTo({ world, setAheadMs, deliverDue }: TimeParts, untilAheadMs: number, round: () => Promise<number>) {
  const startedMs = world.steadyMs()
  const isInTime = (): boolean => world.steadyMs() - startedMs < ON_THE_WAY_MS
  const leftMs = (): number => untilAheadMs - world.aheadMs()
  const grainMs = leftMs() / STOPS
  const roundOrNone = (): Promise<number> =>
    round().catch((err: unknown) => {
      world.log.error({ err }, 'a round on the way of the clock failed')
      return 0
    })
  const goOn = async (): Promise<void> => {
    await deliverDue()
    while ((await roundOrNone()) > 0 && isInTime() && world.phase() === 'ready');
  }
  // What is due before the clock moves is done at its own time.
  await goOn()
  while (leftMs() > 0) {
    if (world.phase() !== 'ready') return false
    const nextMs = isInTime() ? await nextStop(world, world.now().getTime(), grainMs) : Number.POSITIVE_INFINITY
    const byMs = Math.min(nextMs - world.now().getTime(), leftMs())
    if (byMs > 0) await setAheadMs(await moveAhead(world.pool, Math.ceil(world.aheadMs() + byMs)))
    await goOn()
  }
  return true
}

async function nextStop(world: World, nowMs: number, grainMs: number): Promise<number> {
  const { exact, job } = await nextDue(world.pool, new Date(nowMs))
  const jobMs = Math.max(job?.getTime() ?? Number.POSITIVE_INFINITY, nowMs + grainMs)
  return Math.min(exact?.getTime() ?? Number.POSITIVE_INFINITY, jobMs, nextBillMs(nowMs))
}
