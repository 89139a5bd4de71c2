/**
 * scrypt, in one thread of its own and one hash at a time: a hash takes a core for a third of a second, and strangers can ask
 * for one (POST /console/api/session). On libuv's pool it would keep every merchant's answer from being signed. Wrong passwords
 * are checked at a pace that leaves the cores to the merchants; right ones cost nothing. The queue is short, and who has left
 * is passed by. Who is known (an open session, a browser that signed in before) is neither slowed by strangers nor waits behind them.
 */
import type { ScryptOptions } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** So many wrong passwords are checked at once, and then one every five seconds: less than a tenth of a core. */
const WRONG_AT_ONCE = 4
const WRONG_PACE_MS = 5000

/** Of those who are known so many wait at most. Each is counted, and locked after five failures. */
const KNOWN_MAX = 16

/** Who would wait longer than this if all those ahead guess is sent away at once. When all is quiet, nine may wait. */
const WAIT_MAX_MS = 25_000

/** No place is left in the queue, or the caller has left it. */
export class HashingBusy extends Error {
  constructor() {
    super('too many passwords are being checked')
  }
}

type Ask = { password: string; salt: Buffer; bytes: number; cost: ScryptOptions }

/**
 * A place in the queue. It is left when the caller has its hash, or needs none. `wasRight`: the hash was no guess, and does not
 * count for the pace; called once at most.
 */
export type HashingPlace = { derive: (ask: Ask) => Promise<Buffer>; wasRight: () => void; leave: () => void }

/** `signal` aborts when the caller has left. `isKnown`: the caller is no stranger. */
export type HashingCaller = { signal?: AbortSignal; isKnown?: boolean }

/** Times in ms. `later` keeps no process alive. */
export type HashingClock = { nowMs: () => number; later: (ms: number, run: () => void) => void }

const CLOCK: HashingClock = {
  nowMs: () => performance.now(),
  later: (ms, run) => void setTimeout(run, ms).unref(),
}

type Waiting = {
  ask: Ask
  signal: AbortSignal | undefined
  resolve: (hash: Buffer) => void
  reject: (error: unknown) => void
}

export type Hashing = { takePlace: (caller?: HashingCaller) => HashingPlace }

/** Makes the queue of one process: the world's, or that of a command. */
export function hashing(clock: HashingClock = CLOCK): Hashing {
  const known = { queue: [] as Waiting[], places: 0 }
  const others = { queue: [] as Waiting[], places: 0 }
  const pace = wrongPace(clock)
  const hashOf = scryptThread()
  let isWorking = false

  function next(): Waiting | null {
    if (known.queue.length > 0) return known.queue.shift() ?? null
    if (others.queue.length === 0 || pace.isPausing(() => void work())) return null
    const one = others.queue.shift() ?? null
    if (one?.signal?.aborted !== true) pace.began()
    return one
  }

  async function work(): Promise<void> {
    if (isWorking) return
    isWorking = true
    for (let one = next(); one !== null; one = next()) {
      if (one.signal?.aborted === true) one.reject(new HashingBusy())
      else await hashOf(one.ask).then(one.resolve, one.reject)
    }
    isWorking = false
  }

  return {
    /** Throws HashingBusy when no place is left. Called before anything else is done for the caller. */
    takePlace({ signal, isKnown = false } = {}) {
      const lane = isKnown ? known : others
      if (isKnown ? known.places >= KNOWN_MAX : pace.waitMs(others.places) > WAIT_MAX_MS) throw new HashingBusy()
      lane.places += 1
      let isLeft = false
      return {
        derive: (ask) =>
          new Promise((resolve, reject) => {
            lane.queue.push({ ask, signal, resolve, reject })
            void work()
          }),
        wasRight: isKnown ? () => {} : pace.wasRight,
        leave() {
          if (!isLeft) lane.places -= 1
          isLeft = true
        },
      }
    },
  }
}

/** JavaScript, because a thread loads no TypeScript. */
const THREAD = `
const { scryptSync } = require('node:crypto')
const { parentPort } = require('node:worker_threads')
parentPort.on('message', ({ password, salt, bytes, cost }) => {
  try {
    parentPort.postMessage({ hash: scryptSync(password, salt, bytes, cost) })
  } catch (error) {
    parentPort.postMessage({ error })
  }
})`

/** Makes one hash at a time. The thread begins with the first one, and begins again after one that ended it. */
function scryptThread(): (ask: Ask) => Promise<Buffer> {
  let thread: Worker | null = null
  return (ask) =>
    new Promise((resolve, reject) => {
      if (thread === null) {
        thread = new Worker(THREAD, { eval: true })
        // It keeps no process alive.
        thread.unref()
        thread.on('error', () => {
          thread = null
        })
      }
      const running = thread
      const onMessage = ({ hash, error }: { hash?: Uint8Array; error?: Error }): void => {
        running.off('error', onError)
        if (hash === undefined) reject(error ?? new Error('no hash'))
        else resolve(Buffer.from(hash))
      }
      const onError = (error: Error): void => {
        running.off('message', onMessage)
        reject(error)
      }
      running.once('message', onMessage)
      running.once('error', onError)
      running.postMessage(ask)
    })
}

/** Each hash counts as wrong until it is known to be right. */
function wrongPace({ nowMs, later }: HashingClock) {
  /** When all hashes that began will be paid for, one every `WRONG_PACE_MS`. */
  let paidMs = 0
  let isPausing = false
  /** How long the next hash must wait, if `ahead` others begin before it. */
  const waitMs = (ahead: number): number =>
    Math.max(0, Math.max(0, paidMs - nowMs()) + (ahead + 1 - WRONG_AT_ONCE) * WRONG_PACE_MS)
  return {
    waitMs,
    /** Whether the next hash must wait. When the wait is over, it calls `goOn`. */
    isPausing(goOn: () => void): boolean {
      const pauseMs = waitMs(0)
      if (isPausing || pauseMs === 0) return isPausing
      isPausing = true
      later(pauseMs, () => {
        isPausing = false
        goOn()
      })
      return true
    },
    began: (): void => {
      paidMs = Math.max(paidMs, nowMs()) + WRONG_PACE_MS
    },
    wasRight: (): void => {
      paidMs -= WRONG_PACE_MS
    },
  }
}
