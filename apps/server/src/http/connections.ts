/** Connections: how many there may be, and how long one may be silent. */
import fs from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'

/**
 * A connection on which nothing travels for so long is closed. Longer than the cashier's heartbeat (15 s), a close (10 s at
 * most) and the pauses of callers that keep a connection.
 */
export const SILENT_MS = 75_000

/** Files that are kept for the database, the upstreams, merchants' addresses and the log, if the system allows more than twice as many. */
const FILES_KEPT = 1024

const TOLD_EVERY_MS = 60_000

/** Closes each new connection beyond the bound. Without a bound the process would run out of files and stop answering. */
export function boundConnections({ server }: FastifyInstance, { log, now }: World): void {
  const files = filesMax()
  if (files !== null) server.maxConnections = Math.max(Math.floor(files / 2), files - FILES_KEPT)
  let dropped = 0
  let toldMs = Number.NEGATIVE_INFINITY
  server.on('drop', () => {
    dropped += 1
    const nowMs = now().getTime()
    if (nowMs - toldMs < TOLD_EVERY_MS) return
    log.error({ dropped, connections: server.maxConnections, alarm: true }, 'too many connections')
    toldMs = nowMs
    dropped = 0
  })
}

/** How many files this process may have open; null where the system does not say. */
function filesMax(): number | null {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(fs.readFileSync('/proc/self/limits', 'utf8')) ?? []
    return soft === undefined ? null : Number(soft)
  } catch {
    return null
  }
}
