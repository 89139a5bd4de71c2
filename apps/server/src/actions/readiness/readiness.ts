/** Whether this process can do what merchants ask for: it has started, the database takes writes, answers are signed in time. */
import { proveWritable } from '@acopay/store'
import type { ClockDoubt, World } from '../../world.ts'

/** Why not, in the words of `/readyz`. */
export type Unready = { status: string; code?: string; against?: string; ahead_s?: number }

/** How long one finding serves all who ask. */
const KEPT_MS = 1000
/** What takes longer is no answer to a balancer that asks every few seconds. */
const ANSWER_MS = 2000

/** Returns the function that finds why this process is not ready; null when it is. */
export function readiness(world: World): () => Promise<Unready | null> {
  let last: { atMs: number; found: Promise<Unready | null> } | null = null
  let isTrying = false

  function tried(): Promise<Unready | null> {
    const nowMs = world.now().getTime()
    if (last !== null && (isTrying || Math.abs(nowMs - last.atMs) < KEPT_MS)) return last.found
    isTrying = true
    const found = tryAll(world).finally(() => {
      isTrying = false
    })
    last = { atMs: nowMs, found }
    return found
  }

  return async () => {
    const phase = world.phase()
    if (phase === 'starting' || phase === 'stopping') return { status: phase }
    const enough = new AbortController()
    const late = world.sleep(ANSWER_MS, enough.signal).then(() => ({ status: 'slow' }))
    const found = await Promise.race([tried(), late])
    enough.abort()
    const doubt = found === null ? clockDifference(world) : null
    return doubt === null ? found : { status: 'clock in doubt', ...doubt }
  }
}

async function tryAll(world: World): Promise<Unready | null> {
  try {
    await proveWritable(world.pool, world.now())
  } catch (error) {
    const { code } = error as { code?: unknown }
    // PostgreSQL's codes have a digit; Node's EPIPE has none.
    const isAnswer = typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)
    if (isAnswer) return { status: 'database refuses', code }
    return { status: 'database unreachable', ...(typeof code === 'string' ? { code } : {}) }
  }
  try {
    await world.signingKey().sign('readyz')
    return null
  } catch {
    return { status: 'nothing can be signed' }
  }
}

/** Against what this machine's clock is wrong, and by how many seconds it is ahead; null while it is right. */
export function clockDifference(world: World): { against: ClockDoubt['against']; ahead_s: number } | null {
  const doubt = world.clockDoubt()
  return doubt && { against: doubt.against, ahead_s: Math.round(doubt.byMs / 1000) }
}
