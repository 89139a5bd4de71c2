/** What a worker and a notifier with nothing to do ask of the database, and when they plan the days and count the hours. */
import type { Pool } from '@acopay/store'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { countHourlyFigures } from '../apps/server/src/actions/statistics/count-hours.ts'
import { type Crew, crewOf } from '../apps/server/src/jobs/crew.ts'
import { place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const PAUSE = 1000
/** Of the plans and the counting, which have pauses of their own. */
const SLOW =
  /^(planBills|planReconciliations|countedHours|countHour|oldestOrder|figuresCounted|forgetAudit.*|giveUpNotifications)/

let test: TestWorld
let crew: Crew
let asked: string[]
beforeAll(async () => {
  test = await testWorld()
  await test.runJobs()
  await countHourlyFigures(test.world)
})
afterAll(() => test.stop())

beforeEach(() => {
  asked = []
  const { pool } = test.world
  const query = (statement: { name?: string }, values?: unknown[]) => {
    asked.push(statement.name ?? String(statement))
    return pool.query(statement as string, values)
  }
  const world = { ...test.world, pool: Object.create(pool, { query: { value: query } }) as Pool }
  crew = crewOf(world, PAUSE)
  crew.start()
})
afterEach(() => crew.stop())

const times = (name: string): number => asked.filter((one) => one === name).length
/** The worker and the notifier have done all there is. */
const idle = () =>
  expect
    .poll(() => test.sleeping(PAUSE) === 2 && test.world.pool.idleCount === test.world.pool.totalCount, { interval: 1 })
    .toBe(true)
async function later(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 500) {
    test.advance(500)
    await idle()
  }
}

it('with nothing to do, a process asks once a second, plans the days once a minute, and counts every 15 s', async () => {
  await idle()
  const figures = () => ['readDueTimes', 'planBills', 'planReconciliations', 'countedHours'].map(times)
  expect(figures()).toEqual([0, 1, 1, 1])
  asked = []
  await later(15_000)
  expect(figures()).toEqual([15, 0, 0, 1])
  await later(44_500)
  expect(figures()).toEqual([59, 0, 0, 3])
  expect(asked.filter((name) => name !== 'readDueTimes' && !SLOW.test(name))).toEqual([])
  await later(500)
  expect(figures()).toEqual([60, 1, 1, 4])
  await crew.stop()
  expect(test.sleeping(PAUSE)).toBe(0)
  test.advance(60_000)
  expect(figures()).toEqual([60, 1, 1, 4])
})

it('an order that lapses is swept by the next look, and only what is due is asked for', async () => {
  await place(test.demo)
  await idle()
  asked = []
  await later(PAUSE)
  expect(asked).toEqual(['readDueTimes'])
  test.advance(7_200_000 - 2 * PAUSE)
  await idle()
  asked = []
  await later(PAUSE)
  const swept = ['readDueTimes', 'lapsedOrders', 'expireUntouched', 'lapsedOrders', 'oldNonces', 'dueJobs', 'dueJobs']
  expect(asked).toEqual(swept)
})
