import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { sleep } from './sleep.ts'

/** No sleep of a test lasts so long. */
const LONG_MS = 2 ** 31 - 1

it('a sleep ends when its time has passed, and nothing listens to its signal any more', async () => {
  const { signal } = new AbortController()
  await sleep(1, signal)
  await sleep(1)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('a sleep ends at once, and without an error, when its signal aborts or has aborted before', async () => {
  const stopping = new AbortController()
  const sleeping = sleep(LONG_MS, stopping.signal)
  stopping.abort()
  await sleeping
  await sleep(LONG_MS, stopping.signal)
  expect(getEventListeners(stopping.signal, 'abort')).toEqual([])
})
