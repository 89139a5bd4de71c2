/** Limits and rests that gateways on one database hold together: two machines' worth of them, whose seconds pass by hand. */
import { type Channel, unknown } from '@acopay/channels'
import pino from 'pino'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { rateLimit } from '../apps/server/src/http/rate-limit.ts'
import { installationBus } from '../apps/server/src/start/installation.ts'
import { sharesOf } from '../apps/server/src/start/telling.ts'
import { circuitBreaker } from '../apps/server/src/upstream/circuit-breaker.ts'
import { type TestDatabase, testDatabase } from './support/database.ts'

const BEGIN = Date.parse('2026-03-01T04:00:00.000Z')
const PER_SECOND = 10

let database: TestDatabase
let nowMs: number
let machines: ReturnType<typeof machine>[]
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.pool.query('delete from shared_count')
  nowMs = BEGIN
  machines = [machine('a'), machine('b')]
})

/** A gateway's counts, and what reaches the database of them. */
function machine(member: string) {
  let isAway = false
  let statements = 0
  const query = (...asked: Parameters<typeof database.pool.query>) => {
    statements += 1
    if (isAway) throw new Error('away')
    return database.pool.query(...asked)
  }
  const pool = { query } as unknown as typeof database.pool
  const now = () => new Date(nowMs)
  const log = pino({ level: 'silent' })
  const bus = installationBus({ pool, log, now, steadyMs: () => nowMs, member, processes: 1 })
  const shares = sharesOf(bus)
  const limit = rateLimit(PER_SECOND, () => nowMs, shares.limit('merchant'))
  const breaker = circuitBreaker(now, () => {}, shares.rests)
  return {
    ...{ bus, limit, guard: breaker.guard, round: bus.round, statements: () => statements },
    loseDatabase: (isLost: boolean) => {
      isAway = isLost
    },
  }
}

/** Asks both 50 times a second for so long; answers how many each let through. */
async function asked(seconds: number): Promise<number[]> {
  const passed = [0, 0]
  for (let second = 0; second < seconds; second += 1) {
    for (let turn = 0; turn < 50; turn += 1) {
      nowMs += 20
      for (const [index, { limit }] of machines.entries())
        passed[index] = (passed[index] ?? 0) + Number(limit.allows('m', null))
    }
    for (const { round } of machines) await round()
  }
  return passed
}

const sum = (of: number[]): number => of.reduce((one, other) => one + other, 0)

it("over a minute two gateways let through one limit, and two seconds' worth for each besides", async () => {
  const passed = sum(await asked(60))
  expect(passed).toBeGreaterThanOrEqual(PER_SECOND * 58)
  expect(passed).toBeLessThanOrEqual(PER_SECOND * (60 + 2 * 2))
})

it('without the database each goes on by its own counts, and together again when it is back', async () => {
  for (const { loseDatabase } of machines) loseDatabase(true)
  const alone = await asked(30)
  for (const one of alone) expect(one).toBeGreaterThanOrEqual(PER_SECOND * 30)
  for (const { loseDatabase } of machines) loseDatabase(false)
  const passed = sum(await asked(60))
  expect(passed).toBeLessThanOrEqual(PER_SECOND * (60 + 2 * 2))
})

it('one statement a second tells and asks, and a gateway with nothing to tell asks none', async () => {
  await asked(20)
  // One more removes what ended members have left, once.
  expect(machines.map(({ statements }) => statements())).toEqual([21, 21])
  nowMs += 11_000
  for (const { round } of machines) await round()
  expect(machines.map(({ statements }) => statements())).toEqual([21, 21])
})

it("an upstream's rest after failures counts for both, and so do failures of both, and an answer", async () => {
  const seen = { calls: 0 }
  let isSick = true
  const channel = {
    query: async () => {
      seen.calls += 1
      return isSick ? unknown('HTTP 502') : { kind: 'open' }
    },
  } as unknown as Channel
  const [one, other] = machines.map(({ guard }) => guard('M1/wechat', channel))
  const signal = new AbortController().signal
  const ask = async (which: Channel | undefined, times: number) => {
    for (let time = 0; time < times; time += 1) await which?.query({ attemptNo: 'AT1' }, signal)
  }
  const second = async () => {
    for (const { round } of machines) await round()
    for (const { round } of machines) await round()
  }
  await ask(one, 10)
  await ask(other, 9)
  await second()
  // Nineteen in a row: one is left.
  await ask(other, 1)
  await second()
  expect(seen.calls).toBe(20)
  await ask(one, 5)
  await ask(other, 5)
  expect(seen.calls).toBe(20)
  nowMs += 5001
  isSick = false
  await ask(one, 1)
  await second()
  isSick = true
  await ask(other, 19)
  expect(seen.calls).toBe(40)
})
