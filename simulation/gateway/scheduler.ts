/**
 * The simulated world's only order of events. Whatever takes time (a statement, a call, a sleep) is an event here; one
 * is done at a time, and the next only when nothing can go on by itself any more. So the seed decides everything.
 */
import { setImmediate } from 'node:timers/promises'
import type { Random } from './random.ts'

/** A gateway process. What a dead one was waiting for never comes. */
export type Process = { name: string; isAlive: boolean }

type Event = { atMs: number; tie: number; process: Process | null; run: () => void | Promise<void>; isDropped: boolean }

export type Scheduler = {
  nowMs: () => number
  /** Does it at this moment, unless the process is dead by then; answers how to take it back. */
  at: (atMs: number, process: Process | null, run: Event['run']) => () => void
  /** The next event; false when there is none. */
  step: () => Promise<boolean>
  /** When the next event is; null when there is none. */
  nextMs: () => number | null
  advanceTo: (ms: number) => void
}

export function scheduler(startMs: number, dice: Random): Scheduler {
  const heap: Event[] = []
  let clockMs = startMs
  const isBefore = (a: Event, b: Event): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.tie < b.tie)
  const swap = (a: number, b: number): void => {
    ;[heap[a], heap[b]] = [heap[b] as Event, heap[a] as Event]
  }
  function push(event: Event): void {
    heap.push(event)
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1
      if (!isBefore(heap[at] as Event, heap[parent] as Event)) return
      swap(at, parent)
      at = parent
    }
  }
  function pop(): Event | undefined {
    const first = heap[0]
    const last = heap.pop()
    if (first === undefined || last === undefined || heap.length === 0) return first
    heap[0] = last
    sink()
    return first
  }
  /** Moves the first event down until it is before both of its children. */
  function sink(): void {
    let at = 0
    for (let least = earliest(at); least !== at; least = earliest(at)) {
      swap(at, least)
      at = least
    }
  }
  /** The place of the earliest among an event and its two children. */
  function earliest(at: number): number {
    let least = at
    for (const child of [2 * at + 1, 2 * at + 2]) {
      if (child < heap.length && isBefore(heap[child] as Event, heap[least] as Event)) least = child
    }
    return least
  }
  const isLive = ({ isDropped, process }: Event): boolean => !isDropped && process?.isAlive !== false
  function dropDead(): void {
    while (heap[0] !== undefined && !isLive(heap[0])) pop()
  }

  return {
    nowMs: () => clockMs,
    at(atMs, process, run) {
      const event: Event = { atMs: Math.max(atMs, clockMs), tie: dice.next(), process, run, isDropped: false }
      push(event)
      return () => {
        event.isDropped = true
      }
    },
    async step() {
      dropDead()
      const event = pop()
      if (event === undefined) return false
      clockMs = Math.max(clockMs, event.atMs)
      await event.run()
      // Everything that can go on by itself does so before the next event.
      await setImmediate()
      return true
    },
    nextMs() {
      dropDead()
      return heap[0]?.atMs ?? null
    },
    advanceTo(ms) {
      clockMs = Math.max(clockMs, ms)
    },
  }
}
