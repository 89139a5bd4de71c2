/**
 * Resolves after `ms`, or at once when the signal aborts. Unlike `node:timers/promises` it makes no error of an abort: with every call
 * to an upstream one sleep is ended early, and an error's stack costs as much as a fifth of a signature.
 */
export const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const end = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal?.addEventListener('abort', end)
  })
