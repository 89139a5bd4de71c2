/** `GET /openapi.json`: the transactions API, for whoever generates a client or looks. */
import { openApi } from '@acopay/protocol'
import type { FastifyInstance } from 'fastify'

/** `publicUrl` null: callers reach us where they found this. */
export function openApiRoute(app: FastifyInstance, publicUrl: string | null): void {
  const text = JSON.stringify(openApi(publicUrl ?? ''), null, 2)
  app.get('/openapi.json', { exposeHeadRoute: false }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').header('cache-control', 'public, max-age=300').send(text),
  )
}
