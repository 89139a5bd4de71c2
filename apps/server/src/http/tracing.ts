/** Each request's id, and its trace where there are traces, from its head to the answer's end. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Along, goingAlong } from '../tracing/along.ts'
import type { World } from '../world.ts'

declare module 'fastify' {
  interface FastifyRequest {
    along: Along
  }
}

/** What monitors and page builders ask all the time. */
const UNTRACED = new Set(['/healthz', '/readyz', '/metrics'])

/** `told`: the lines of the log, once the answer has left. */
export function traceRequests(
  app: FastifyInstance,
  { tracer }: World,
  told: (request: FastifyRequest, reply: FastifyReply) => void,
): void {
  app.decorateRequest('along')
  app.addHook('onRequest', async (request) => {
    const trace = traceOf(request)
    request.along = { requestId: request.id, trace, span: trace }
  })
  // What parses the body calls back on the socket's behalf, so this begins after it.
  app.addHook('preHandler', (request, _reply, done) => goingAlong(request.along, done))
  app.addHook('onResponse', async (request, reply) => {
    goingAlong(request.along, () => told(request, reply))
    endTrace(request, reply)
  })

  function traceOf({ method, routeOptions, headers }: FastifyRequest): Along['trace'] {
    const { url, config } = routeOptions
    // No route: a stranger's guess. A star: a file of the pages.
    if (url === undefined || url.endsWith('*') || UNTRACED.has(url)) return null
    // Merchants' servers go on with a trace of theirs. Upstreams and browsers have none that is of use here.
    const given = config.call === undefined ? null : headers.traceparent
    const attributes = { 'http.request.method': method, 'http.route': url }
    return tracer.begin(`${method} ${url}`, {
      kind: 'server',
      attributes,
      parent: typeof given === 'string' ? given : null,
    })
  }
}

function endTrace({ along, line }: FastifyRequest, { statusCode }: FastifyReply): void {
  const { trace, requestId } = along
  if (trace === null) return
  const { mchNo, transactionNo, outcome, way } = line
  trace.set({
    'http.response.status_code': statusCode,
    'acopay.request_id': requestId,
    ...(mchNo !== undefined && { 'acopay.mch_no': mchNo }),
    ...(transactionNo !== undefined && { 'acopay.transaction_no': transactionNo }),
    ...(outcome !== undefined && { 'acopay.outcome': outcome }),
    ...(way !== undefined && { 'acopay.way': way }),
  })
  trace.end(statusCode >= 500 || outcome === 'SYSTEM_ERROR' ? (outcome ?? String(statusCode)) : undefined)
}
