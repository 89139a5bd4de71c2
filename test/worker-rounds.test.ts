/** How often a worker with nothing to do looks, plans its days and counts its hours. */
import type { Pool } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { countHourlyFigures } from '../apps/server/src/actions/statistics/count-hours.ts'
import { startWorker } from '../apps/server/src/jobs/worker.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
beforeAll(async () => {
  test = await testWorld()
  await test.runJobs()
  await countHourlyFigures(test.world)
})
afterAll(() => test.stop())

it('a worker looks every half second, plans the days once a minute, and counts the hours every fifteen seconds', async () => {
  const asked: string[] = []
  const { pool } = test.world
  const query = (statement: { name?: string }, values?: unknown[]) => {
    asked.push(statement.name ?? String(statement))
    return pool.query(statement as string, values)
  }
  const world = { ...test.world, pool: Object.create(pool, { query: { value: query } }) as Pool }
  const worker = startWorker(world, 500)
  const times = (name: string): number => asked.filter((one) => one === name).length
  const idle = () =>
    expect.poll(() => test.sleeping(500) === 1 && pool.idleCount === pool.totalCount, { interval: 1 }).toBe(true)
  const figures = () => ['expiredOrders', 'planBills', 'planReconciliations', 'countedHours'].map(times)
  await idle()
  const [rounds = 0] = figures()
  expect(figures()).toEqual([rounds, 1, 1, 1])
  const later = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 500) {
      test.advance(500)
      await idle()
    }
    return figures()
  }
  expect(await later(14_500)).toEqual([rounds + 29, 1, 1, 1])
  expect(await later(500)).toEqual([rounds + 30, 1, 1, 2])
  expect(await later(44_500)).toEqual([rounds + 119, 1, 1, 4])
  expect(await later(500)).toEqual([rounds + 120, 2, 2, 5])
  await worker.stop()
  expect(test.sleeping(500)).toBe(0)
  test.advance(60_000)
  expect(figures()).toEqual([rounds + 120, 2, 2, 5])
})
