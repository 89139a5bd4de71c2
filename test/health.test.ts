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

const ready = async (): Promise<unknown> => (await fetch(`${gateway.demo.baseUrl}/readyz`)).json()

/** What is found a second later. */
const later = (): Promise<unknown> => {
  gateway.advance(SECOND)
  return ready()
}

/** What was found is told for a second. */
const SECOND = 1000

it('answers alive and ready while the database answers, and only alive while it does not', async () => {
  expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 200])
  const name = new URL(gateway.database.connectionString).pathname.slice(1)
  const server = inject('postgresUrl')
  await onServer(
    server,
    `alter database ${name} with allow_connections false`,
    `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
  )
  gateway.advance(SECOND)
  expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 503])
  await onServer(server, `alter database ${name} with allow_connections true`)
  gateway.advance(SECOND)
  expect(await statusOf('/readyz')).toBe(200)
})

it('is not ready while the database only reads, and says so; it asks the database once a second', async () => {
  const { database, advance } = gateway
  const name = new URL(database.connectionString).pathname.slice(1)
  const writtenAt = async (): Promise<Date> => {
    const read = () => database.pool.query('select at from readiness').catch(() => null)
    await expect.poll(read).not.toBeNull()
    return (await read())?.rows[0]?.at
  }
  const end = `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`
  const server = inject('postgresUrl')
  advance(SECOND)
  expect(await ready()).toEqual({ status: 'ok' })
  const at = await writtenAt()
  await onServer(server, `alter database ${name} set default_transaction_read_only = on`, end)
  advance(SECOND - 1)
  expect(await ready()).toEqual({ status: 'ok' })
  advance(1)
  // Until the pool has found its connections cut.
  await expect.poll(later).toEqual({ status: 'database refuses', code: '25006' })
  expect(await writtenAt()).toEqual(at)
  await onServer(server, `alter database ${name} reset default_transaction_read_only`, end)
  await expect.poll(later).toEqual({ status: 'ok' })
  expect(await writtenAt()).toEqual(gateway.world.now())
})

it('is not ready before it has started and once it stops', async () => {
  const { world } = gateway
  gateway.advance(SECOND)
  for (const phase of ['starting', 'stopping'] as const) {
    world.phase = () => phase
    expect([await statusOf('/healthz'), await statusOf('/readyz'), await ready()]).toEqual([
      200,
      503,
      { status: phase },
    ])
  }
  world.phase = () => 'ready'
})

it('is not ready while the database says nothing for two seconds', async () => {
  const { database, advance } = gateway
  advance(SECOND)
  const other = await database.pool.connect()
  await other.query('begin')
  await other.query('lock table readiness')
  const answer = ready()
  await expect.poll(() => gateway.sleeping(2 * SECOND)).toBe(1)
  advance(2 * SECOND)
  expect(await answer).toEqual({ status: 'slow' })
  await other.query('rollback')
  other.release()
  await expect.poll(later).toEqual({ status: 'ok' })
})
