/** Health checks for monitoring: whether the process is alive, and whether it can serve. */
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'

export function healthRoutes(app: FastifyInstance, world: World): void {
  /** The process answers. */
  app.get('/healthz', async () => ({ status: 'ok' }))
  /** The database answers too; 503 while it does not. */
  app.get('/readyz', async (_request, reply) => {
    try {
      await world.pool.query('select 1')
      return { status: 'ok' }
    } catch {
      return reply.code(503).send({ status: 'database unreachable' })
    }
  })
}
