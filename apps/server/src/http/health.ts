/** Health checks for monitoring: whether the process is alive, and whether it can serve. */
import type { FastifyInstance } from 'fastify'
import type { World } from '../world.ts'

export function healthRoutes(app: FastifyInstance, world: World): void {
  /** The process answers. */
  app.get('/healthz', async () => ({ status: 'ok' }))
  /** The database answers too, and the clock is right; 503 while not. */
  app.get('/readyz', async (_request, reply) => {
    try {
      await world.pool.query('select 1')
    } catch {
      return reply.code(503).send({ status: 'database unreachable' })
    }
    const doubt = world.clockDoubt()
    if (doubt === null) return { status: 'ok' }
    const { against, byMs } = doubt
    return reply.code(503).send({ status: 'clock in doubt', against, ahead_s: Math.round(byMs / 1000) })
  })
}
