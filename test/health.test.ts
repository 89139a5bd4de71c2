/** The health checks that a supervisor or a load balancer asks. */
import { afterAll, beforeAll, expect, inject, it } from 'vitest'
import { onServer } from './support/postgres.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
beforeAll(async () => {
  gateway = await testWorld()
})
afterAll(() => gateway.stop())

const statusOf = async (path: string): Promise<number> => (await fetch(gateway.demo.baseUrl + path)).status

it('answers alive and ready while the database answers, and only alive while it does not', async () => {
  expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 200])
  const name = new URL(gateway.database.connectionString).pathname.slice(1)
  const server = inject('postgresUrl')
  await onServer(
    server,
    `alter database ${name} with allow_connections false`,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  )
  expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 503])
  await onServer(server, `alter database ${name} with allow_connections true`)
  expect(await statusOf('/readyz')).toBe(200)
})
