/** How a process keeps what it has opened: it closes all of it, and ends when it cannot go on. */
import { onItsOwn } from '../tracing/along.ts'
import type { World } from '../world.ts'
import { loggedWatch } from './database.ts'

export type Close = () => Promise<unknown>

/** Closes what was opened, the last one first. Throws the first error when all are closed. */
export async function closeAll(opened: Close[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = opened.pop(); close !== undefined; close = opened.pop()) {
    await close().catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

export const watched = (log: World['log'], tellGone: (error: Error) => void) => ({
  watch: loggedWatch(log, tellGone),
  onLost: (err: Error) => onItsOwn(() => log.warn({ err }, 'database connection lost')),
  isServing: true,
})

export function goneOnce(): { gone: Promise<Error>; tellGone: (error: Error) => void; isGone: () => boolean } {
  let resolve: (error: Error) => void = () => {}
  let isGone = false
  const gone = new Promise<Error>((resolveGone) => {
    resolve = resolveGone
  })
  const tellGone = (error: Error): void => {
    isGone = true
    resolve(error)
  }
  return { gone, tellGone, isGone: () => isGone }
}
