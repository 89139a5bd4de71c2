/**
 * scrypt, in one thread of its own and one hash at a time: a hash takes a core for a third of a second, and strangers can ask
 * for one (POST /console/api/session). On libuv's pool it would keep every merchant's answer from being signed. The thread
 * steps back behind all other work, the queue is short, and who has left is passed by.
 */
import type { ScryptOptions } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Callers who wait for a hash, at most: about five seconds of work. The next one is sent away. */
const WAITING_MAX = 16

/** No place is left in the queue, or the caller has left it. */
export class HashingBusy extends Error {
  constructor() {
    super('too many passwords are being checked')
  }
}

type Ask = { password: string; salt: Buffer; bytes: number; cost: ScryptOptions }

/** A place in the queue. It is left when the caller has its hash, or needs none. */
export type HashingPlace = { derive: (ask: Ask) => Promise<Buffer>; leave: () => void }

type Waiting = {
  ask: Ask
  signal: AbortSignal | undefined
  resolve: (hash: Buffer) => void
  reject: (error: Error) => void
}

/** JavaScript, because a thread loads no TypeScript. `thread-self` names this thread where the system can give it a priority. */
const THREAD = `
const { scryptSync } = require('node:crypto')
const { readlinkSync } = require('node:fs')
const { setPriority, constants } = require('node:os')
const { parentPort } = require('node:worker_threads')
try {
  setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), constants.priority.PRIORITY_BELOW_NORMAL)
} catch {}
parentPort.on('message', ({ password, salt, bytes, cost }) => {
  try {
    parentPort.postMessage({ hash: scryptSync(password, salt, bytes, cost) })
  } catch (error) {
    parentPort.postMessage({ error })
  }
})`

export type Hashing = { takePlace: (signal?: AbortSignal) => HashingPlace }

/** One for the whole process (below); tests make their own. */
export function hashing(): Hashing {
  const queue: Waiting[] = []
  let places = 0
  let thread: Worker | null = null
  let current: Waiting | null = null

  function next(): void {
    if (current !== null) return
    current = queue.shift() ?? null
    if (current === null) return
    if (current.signal?.aborted === true) {
      settle(({ reject }) => reject(new HashingBusy()))
      return
    }
    thread ??= startThread()
    thread.postMessage(current.ask)
  }

  function settle(how: (ended: Waiting) => void): void {
    const ended = current
    current = null
    if (ended !== null) how(ended)
    next()
  }

  function startThread(): Worker {
    const started = new Worker(THREAD, { eval: true })
    // It keeps no process alive.
    started.unref()
    started.on('message', ({ hash, error }: { hash?: Uint8Array; error?: Error }) =>
      settle(({ resolve, reject }) => {
        if (hash === undefined) reject(error ?? new Error('no hash'))
        else resolve(Buffer.from(hash))
      }),
    )
    started.on('error', (error) => {
      thread = null
      settle(({ reject }) => reject(error))
    })
    return started
  }

  return {
    /** Throws HashingBusy when no place is left. Called before anything else is done for the caller. */
    takePlace(signal) {
      if (places >= WAITING_MAX) throw new HashingBusy()
      places += 1
      let isLeft = false
      return {
        derive: (ask) =>
          new Promise((resolve, reject) => {
            queue.push({ ask, signal, resolve, reject })
            next()
          }),
        leave() {
          if (!isLeft) places -= 1
          isLeft = true
        },
      }
    },
  }
}

export const { takePlace } = hashing()
