/**
 * The limit of one address, over every path. Each part of the gateway says "too often" in its own form. Of the upstreams'
 * webhooks only forged ones count (upstream/webhook.ts): an upstream may have as much to tell as it likes.
 */
import { BASE_PATH, refuse, unsignedBody } from '@acopay/protocol'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { send, TOO_OFTEN } from './console/respond.ts'
import type { RateLimit } from './rate-limit.ts'
import { WEBHOOK } from './upstream/webhook-path.ts'

export function limitAddresses(app: FastifyInstance, perAddress: RateLimit): void {
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.url === WEBHOOK) return
    if (!perAddress.allows(request.ip, null)) return tooOften(request, reply)
  })
}

export function tooOften(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // Empty where there is no such path.
  const path = request.routeOptions.url ?? ''
  request.line.outcome = 'FREQUENCY_LIMIT'
  reply.header('retry-after', '1')
  if (path.startsWith(BASE_PATH)) {
    return reply.type('application/json; charset=utf-8').send(unsignedBody(refuse('FREQUENCY_LIMIT')))
  }
  if (path.startsWith('/console/api/')) return send(request, reply, TOO_OFTEN())
  if (path.startsWith('/cashier/')) return reply.code(429).send({ error: 'FREQUENCY_LIMIT' })
  return reply.code(429).type('text/plain; charset=utf-8').send('请求过于频繁，请稍后再试 (too many requests)\n')
}
