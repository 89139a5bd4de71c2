/** What is told of each request once it is answered: a line of the log, and what is counted of calls. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CloseWay } from '../metrics/metrics.ts'
import type { World } from '../world.ts'

/** The fields of a request's log line. The handlers fill them in. */
type LogLine = { mchNo?: string; transactionNo?: string; outcome?: string; way?: CloseWay }
declare module 'fastify' {
  interface FastifyContextConfig {
    /** The path of a call of the transactions API. */
    call?: string
  }
  interface FastifyRequest {
    line: LogLine
  }
}

export function tellOf(world: World, request: FastifyRequest, reply: FastifyReply): void {
  logLine(world, request, reply)
  count(world, request, reply)
}

/** The secret parts of bill and cashier links are in their paths, however these are written, so those parts are not logged. */
function pathToLog(url: string): string {
  const path = url.split('?', 1)[0] ?? ''
  const decoded = path.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return decoded.replace(/^(\/(?:bills|cashier)\/).*$/s, '$1…')
}

function logLine(world: World, request: FastifyRequest, reply: FastifyReply): void {
  const { line = {} } = request
  const ms = Math.round(reply.elapsedTime * 10) / 10
  const path = pathToLog(request.url)
  world.log.info({ method: request.method, path, status: reply.statusCode, ...line, ms }, 'request')
}

function count({ metrics }: World, { routeOptions, line }: FastifyRequest, { elapsedTime }: FastifyReply): void {
  const { call } = routeOptions.config
  if (call === undefined) return
  const by = line.mchNo === undefined ? 'stranger' : 'merchant'
  metrics.call({ call, outcome: line.outcome ?? 'NONE', by }, elapsedTime / 1000)
  if (line.way !== undefined) metrics.close(line.way, elapsedTime / 1000)
}
