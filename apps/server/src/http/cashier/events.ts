/**
 * Live state for open cashier pages. However many look, the database is asked once a second, in one statement, and not at
 * all while no page is open. Nothing depends on it: a page that hears nothing asks by itself.
 */
import { type CashierView, type OrderKey, readCashierViews } from '@acopay/store/read'
import type { World } from '../../world.ts'

export type Watcher = (view: CashierView) => void

export type CashierWatch = {
  /** Null when too many look already; else how to stop looking. */
  watch: (key: OrderKey, watcher: Watcher) => (() => void) | null
  /** Ends it for everybody; `onStop` of each was handed in with `onEnd`. */
  stop: () => void
  onEnd: (end: () => void) => () => void
}

const PAUSE_MS = 1000
const WATCHERS_MAX = 2000
/** Tabs and telephones that one order is looked at with. */
const PER_ORDER_MAX = 10

export function cashierWatch(world: Pick<World, 'pool' | 'log' | 'sleep' | 'groupOf'>): CashierWatch {
  const watchers = new Map<string, { key: OrderKey; all: Set<Watcher> }>()
  const ends = new Set<() => void>()
  const stopping = new AbortController()
  let count = 0
  let isRunning = false

  async function run(): Promise<void> {
    if (isRunning) return
    isRunning = true
    while (watchers.size > 0 && !stopping.signal.aborted) {
      await world.sleep(PAUSE_MS, stopping.signal)
      await tellAll().catch((err: unknown) => world.log.warn({ err }, 'open cashier pages hear nothing'))
    }
    isRunning = false
  }

  async function tellAll(): Promise<void> {
    const keys = [...watchers.values()].map(({ key }) => key)
    if (keys.length === 0 || stopping.signal.aborted) return
    for (const view of await readCashierViews(world.pool, keys, world.groupOf)) {
      for (const watcher of watchers.get(nameOf(view))?.all ?? []) watcher(view)
    }
  }

  return {
    watch(key, watcher) {
      const name = nameOf(key)
      const looking = watchers.get(name) ?? { key, all: new Set() }
      if (count >= WATCHERS_MAX || looking.all.size >= PER_ORDER_MAX || stopping.signal.aborted) return null
      watchers.set(name, looking)
      looking.all.add(watcher)
      count += 1
      void run()
      return () => {
        if (!looking.all.delete(watcher)) return
        count -= 1
        if (looking.all.size === 0) watchers.delete(name)
      }
    },
    onEnd(end) {
      ends.add(end)
      return () => ends.delete(end)
    },
    stop() {
      stopping.abort()
      for (const end of ends) end()
    },
  }
}

const nameOf = ({ mchNo, transactionNo }: OrderKey): string => `${mchNo}/${transactionNo}`
