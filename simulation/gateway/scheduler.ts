/**
 * Orders the events of the simulated world. Everything that takes time (a statement, a call, a sleep) is an event. The
 * scheduler runs one event, waits until all code that it set off waits for other events, and then runs the next one. So the
 * seed decides the order of everything.
 */
import { setImmediate } from 'node:timers/promises'
import type { Random } from './random.ts'

/** A gateway process. The events that a dead process waits for never happen. */
export type Process = {
  name: string
  isAlive: boolean
  /** Called when it dies: its callers' connections break. */
  whenDead: (() => void)[]
}

type Event = { atMs: number; tie: number; process: Process | null; run: () => void | Promise<void>; isDropped: boolean }

export type Scheduler = {
  nowMs: () => number
  /** Runs it at this moment, unless the process is dead by then. Returns a function that cancels it. */
  at: (atMs: number, process: Process | null, run: Event['run']) => () => void
  /** Runs the next event; false if there is none. */
  step: () => Promise<boolean>
  /** The moment of the next event; null if there is none. */
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
  /** The index of the earliest among an event and its two children. */
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
      // All promises that this event has settled go on before the next event.
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
