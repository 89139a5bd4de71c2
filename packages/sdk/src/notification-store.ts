/** Handles each event once, so that repeated deliveries and replayed requests do no harm. */

/**
 * Remembers which events were handled. `Tx` is what `work` needs to change the merchant's own records in the same
 * transaction as that memory: a database connection or transaction.
 */
export type NotificationStore<Tx = undefined> = {
  /**
   * Runs `work` unless this event was handled before, and remembers the event if and only if the work is kept: both in
   * one transaction. A second call for the same event waits for the first. Rejects with the error of `work`. Returns
   * false when the event was handled before.
   */
  once(eventId: string, work: (tx: Tx) => Promise<void>): Promise<boolean>
}

/**
 * For tests, and for a single process that may handle an event again after a restart. It remembers the last `max`
 * events (default 10 000) in memory.
 */
export function memoryStore({ max = 10_000 }: { max?: number } = {}): NotificationStore {
  const done = new Set<string>()
  const underWay = new Map<string, Promise<void>>()

  async function once(eventId: string, work: (tx: undefined) => Promise<void>): Promise<boolean> {
    // A loop, because when the first call fails, one of the waiting calls becomes the next first.
    for (let first = underWay.get(eventId); first !== undefined; first = underWay.get(eventId)) {
      await first.catch(() => undefined)
    }
    if (done.has(eventId)) return false
    const working = work(undefined)
    underWay.set(eventId, working)
    try {
      await working
      done.add(eventId)
    } finally {
      underWay.delete(eventId)
    }
    const [oldest] = done
    if (done.size > max && oldest !== undefined) done.delete(oldest)
    return true
  }
  return { once }
}
