/** Once per event: what makes the gateway's repetitions, and a stranger's, harmless. */

/**
 * Remembers which events were dealt with. `Tx` is what the work needs to change the merchant's own records together
 * with that memory: a database transaction.
 */
export type NotificationStore<Tx = undefined> = {
  /**
   * Runs `work` unless it was done for this event before, and remembers the event if and only if the work lasts: both
   * in one transaction. Another call for the same event waits until the first is through. Rejects with what `work`
   * rejects with. Answers false when it was done before.
   */
  once(eventId: string, work: (tx: Tx) => Promise<void>): Promise<boolean>
}

/**
 * For tests, and for one process whose work may be done again after it restarts: it remembers the last `max` events
 * while it runs.
 */
export function memoryStore({ max = 10_000 }: { max?: number } = {}): NotificationStore {
  const done = new Set<string>()
  const underWay = new Map<string, Promise<void>>()

  async function once(eventId: string, work: (tx: undefined) => Promise<void>): Promise<boolean> {
    // Again and again: when the first fails, one of those who waited is the next.
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
