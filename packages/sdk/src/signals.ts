/** Signals that end a call. */

/** A signal that aborts with the first of these. `AbortSignal.any` where there is one: Node 18 has none. */
export function anyOf(signals: AbortSignal[]): AbortSignal {
  if ('any' in AbortSignal) return AbortSignal.any(signals)
  const both = new AbortController()
  for (const signal of signals as AbortSignal[]) {
    if (signal.aborted) both.abort(signal.reason)
    // The listeners go with the first that fires.
    signal.addEventListener('abort', () => both.abort(signal.reason), { once: true, signal: both.signal })
  }
  return both.signal
}
