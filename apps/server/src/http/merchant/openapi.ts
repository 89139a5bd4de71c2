/** `GET /openapi.json`: the description of the transactions API, for people and for generators of clients. */
import { openApi } from '@acopay/protocol'
import type { FastifyInstance } from 'fastify'

/** Without a `publicUrl`, the document says that the API is at the document's own address. */
export function openApiRoute(app: FastifyInstance, publicUrl: string | null): void {
  const text = JSON.stringify(openApi(publicUrl ?? ''), null, 2)
  app.get('/openapi.json', { exposeHeadRoute: false }, (_request, reply) =>
    reply.type('application/json; charset=utf-8').header('cache-control', 'public, max-age=300').send(text),
  )
}
