/** Waits for the first of an event and a sleep. */

/** Resolves when the event comes, the sleep ends or `stopping` aborts; the sleep is ended then. */
export async function either(
  event: Promise<void>,
  sleep: (signal: AbortSignal) => Promise<void>,
  stopping: AbortSignal,
): Promise<void> {
  // Aborted while the round was under way: there is nothing to wait for.
  if (stopping.aborted) return
  const waiting = new AbortController()
  const stop = (): void => waiting.abort()
  stopping.addEventListener('abort', stop)
  await Promise.race([event, sleep(waiting.signal)])
  stopping.removeEventListener('abort', stop)
  waiting.abort()
}
