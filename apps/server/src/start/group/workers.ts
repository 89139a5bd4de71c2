/**
 * Keeps so many workers running: one that dies is started again, and all are replaced one by one, each new one listening before the one
 * before it leaves.
 */
import type { Logger } from 'pino'

/** `why`: the line that it told before it ended, where it told one. */
export type Ended = { code: number | null; signal: string | null; why: string | null }

/** A process that was started. */
export type Forked = {
  pid: number | undefined
  /** Its address, once it listens; null where it ends before. */
  listening: Promise<string | null>
  ended: Promise<Ended>
  leave: (how: 'leaving' | 'stopping') => void
  kill: () => void
}

type Parts = {
  count: number
  /** Starts the worker of this number. */
  fork: (worker: number) => Forked
  log: Pick<Logger, 'error' | 'info'>
  nowMs: () => number
  /** Returns how to call it off. */
  later: (ms: number, run: () => void) => () => void
  /** One that was told to leave is killed after this time. */
  patienceMs: number
}

export type Workers = {
  /** Starts the first one alone, then all others; the address at which they listen. Throws one line where one of them cannot start. */
  start: () => Promise<string>
  /** Replaces all of them, one by one. Where a new one does not start, those that are left go on. */
  replace: () => Promise<void>
  /** Has all of them stop, and waits until they have. */
  stop: () => Promise<void>
  /** Ends all of them now. */
  kill: () => void
}

/** One that ends sooner was not well when it started: starting it at once again and again would only take the cores from the others. */
const STEADY_MS = 60_000
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 30_000

type Slot = { worker: number; now: Forked | null; soon: number; callOff: () => void }

export function keepWorkers(parts: Parts): Workers {
  const kept = keeper(parts)
  const { slots, running } = kept
  async function first(slot: Slot): Promise<string> {
    const forked = kept.begin(slot)
    const url = await forked.listening
    if (url === null) throw new Error(lineOf(await forked.ended))
    kept.take(slot, forked)
    return url
  }
  return {
    async start() {
      const [one, ...others] = slots as [Slot, ...Slot[]]
      const url = await first(one)
      await Promise.all(others.map(first))
      return url
    },
    replace: replacer(kept, parts.log),
    async stop() {
      kept.isStopping = true
      for (const slot of slots) slot.callOff()
      await Promise.all([...running].map((forked) => kept.sendAway(forked, 'stopping')))
    },
    kill() {
      for (const forked of running) forked.kill()
    },
  }
}

type Kept = {
  slots: Slot[]
  running: Set<Forked>
  isStopping: boolean
  begin: (slot: Slot) => Forked
  /** From now on this one does the slot's work, and is started again when it ends. */
  take: (slot: Slot, forked: Forked) => void
  again: (slot: Slot, ms: number) => void
  sendAway: (forked: Forked, how: 'leaving' | 'stopping') => Promise<void>
}

function keeper({ count, fork, log, nowMs, later, patienceMs }: Parts): Kept {
  const kept: Kept = {
    slots: Array.from({ length: count }, (_, at) => ({ worker: at + 1, now: null, soon: 0, callOff: () => {} })),
    running: new Set(),
    isStopping: false,
    begin({ worker }) {
      const forked = fork(worker)
      kept.running.add(forked)
      void forked.ended.then(() => kept.running.delete(forked))
      return forked
    },
    take(slot, forked) {
      slot.now = forked
      const sinceMs = nowMs()
      void forked.ended.then((end) => {
        if (slot.now !== forked || kept.isStopping) return
        slot.now = null
        slot.soon = nowMs() - sinceMs < STEADY_MS ? slot.soon + 1 : 0
        const againMs = slot.soon === 0 ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (slot.soon - 1))
        const { worker } = slot
        log.error(
          { workerNumber: worker, workerPid: forked.pid, ...end, againMs, alarm: true },
          'a worker ended and is started again',
        )
        kept.again(slot, againMs)
      })
    },
    again(slot, ms) {
      slot.callOff = later(ms, () => kept.take(slot, kept.begin(slot)))
    },
    async sendAway(forked, how) {
      forked.leave(how)
      const callOff = later(patienceMs, forked.kill)
      await forked.ended
      callOff()
    },
  }
  return kept
}

/** Returns what replaces all of them. */
function replacer(kept: Kept, log: Parts['log']): () => Promise<void> {
  let replacing: Promise<void> | null = null
  let isAskedAgain = false

  /** False where the new one does not start. */
  async function replaceIn(slot: Slot): Promise<boolean> {
    slot.callOff()
    const fresh = kept.begin(slot)
    if ((await fresh.listening) === null) {
      const { why, code, signal } = await fresh.ended
      if (kept.isStopping) return false
      const { worker } = slot
      log.error(
        { workerNumber: worker, why, code, signal, alarm: true },
        'a new worker did not start: the old ones go on',
      )
      if (slot.now === null) kept.again(slot, FIRST_PAUSE_MS)
      return false
    }
    const before = slot.now
    slot.callOff()
    slot.soon = 0
    kept.take(slot, fresh)
    if (before !== null) await kept.sendAway(before, 'leaving')
    return true
  }

  async function replaceAll(): Promise<void> {
    do {
      isAskedAgain = false
      for (const slot of kept.slots) if (kept.isStopping || !(await replaceIn(slot))) return
    } while (isAskedAgain)
    log.info({ processes: kept.slots.length }, 'every worker was replaced')
  }

  return () => {
    // What is asked for on the way may have come after the first ones were replaced.
    isAskedAgain = replacing !== null
    replacing ??= replaceAll().finally(() => {
      replacing = null
    })
    return replacing
  }
}

const lineOf = ({ why, code, signal }: Ended): string =>
  why ?? `进程在启动时结束 (a process ended while it started): ${signal ?? code}`
