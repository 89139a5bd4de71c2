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

/** Who refuses a connection too many. In a cluster Node would hand it from one full worker to the next without end. */
type Bounded = 'by the system' | 'by this process'

/** Closes each new connection beyond the bound. Without a bound the process would run out of files and stop answering. */
export function boundConnections({ server }: FastifyInstance, world: World, bounded: Bounded): void {
  const files = filesMax()
  const most = files === null ? Number.POSITIVE_INFINITY : Math.max(Math.floor(files / 2), files - FILES_KEPT)
  const tell = tellerOf(world)
  if (bounded === 'by this process') {
    countConnections(server, most, () => tell(most))
    return
  }
  if (files !== null) server.maxConnections = most
  server.on('drop', () => tell(server.maxConnections))
}

export function countConnections(server: FastifyInstance['server'], most: number, onDrop: () => void): void {
  let open = 0
  server.on('connection', (socket) => {
    open += 1
    socket.once('close', () => {
      open -= 1
    })
    if (open <= most) return
    socket.destroy()
    onDrop()
  })
}

function tellerOf({ log, now }: World): (connections: number) => void {
  let dropped = 0
  let toldMs = Number.NEGATIVE_INFINITY
  return (connections) => {
    dropped += 1
    const nowMs = now().getTime()
    if (nowMs - toldMs < TOLD_EVERY_MS) return
    log.error({ dropped, connections, alarm: true }, 'too many connections')
    toldMs = nowMs
    dropped = 0
  }
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
