/** How a process leaves a port at which others go on to listen. */
import type { Server as HttpServer } from 'node:http'
import { Server } from 'node:net'
import type { World } from '../world.ts'

/** A caller that keeps its connection has at least this long to come with a call, whose answer tells it to take another connection. */
const LINGER_MS = 5000

type Leaving = { sleep: World['sleep']; drainMs: number; letGo: () => Promise<void> }

/**
 * Takes no more connections, and waits until those that are open have ended: each answer ends its connection. One on which nothing is
 * asked for `drainMs` is left to be closed.
 */
export async function lastCalls(server: HttpServer, { sleep, drainMs, letGo }: Leaving): Promise<void> {
  const enough = new AbortController()
  // Not that of HTTP, which cuts the connections on which no call is under way: one may be on its way.
  const ended = new Promise<void>((resolve) => Server.prototype.close.call(server, () => resolve()))
  await letGo()
  await Promise.race([ended, sleep(Math.max(LINGER_MS, drainMs), enough.signal)])
  enough.abort()
}
