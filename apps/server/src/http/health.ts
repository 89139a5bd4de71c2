/** Health checks for monitoring: whether the process is alive, and whether it can serve. */
import type { FastifyInstance } from 'fastify'
import { readiness } from '../actions/readiness/readiness.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'

export function healthRoutes(app: FastifyInstance, world: World): void {
  const whyNotReady = readiness(world)
  /** The process answers, and says its version, since a rolling upgrade asks which ones are there. */
  app.get('/healthz', async () => ({ status: 'ok', version: VERSION }))
  /** The process can do what merchants ask for; 503 and the reason while it cannot. */
  app.get('/readyz', async (_request, reply) => {
    const reason = await whyNotReady()
    return reason === null ? { status: 'ok' } : reply.code(503).send(reason)
  })
}
