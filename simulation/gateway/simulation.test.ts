/** The real gateway under a simulated world: CI's share of the seeds. `npm run simulate` runs as many as you like. */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { openDatabase } from './database.ts'
import { runScenario } from './run.ts'
import { scenario } from './scenario.ts'
import { shrunk } from './shrink.ts'

const SEEDS = 300

/** Seeds beyond the first that break without what was mended once (docs/proof.md): a number means what this simulator makes of it. */
const REGRESSIONS = [1456, 1538, 2046, 2130]

let database: Awaited<ReturnType<typeof openDatabase>>
beforeAll(async () => {
  database = await openDatabase(inject('postgresUrl'), `acopay_simulation_${process.pid}`)
})
afterAll(() => database.close())

const run = (seed: number) => runScenario(database.connection, scenario(seed))

it(`nothing breaks in the schedules of ${SEEDS} seeds, nor in those that broke something once`, async () => {
  const broken: string[] = []
  for (const seed of [...REGRESSIONS, ...Array.from({ length: SEEDS }, (_, index) => index + 1)]) {
    const { violation } = await run(seed)
    if (violation !== null) broken.push(`npm run simulate -- --seed ${seed}   ${violation}`)
  }
  expect(broken).toEqual([])
}, 240_000)

describe('the same seed', () => {
  it('gives the same story, byte for byte, whatever ran before', async () => {
    const first = []
    for (let seed = 1; seed <= 20; seed += 1) first.push((await run(seed)).hash)
    const again = []
    for (let seed = 20; seed >= 1; seed -= 1) again.unshift((await run(seed)).hash)
    expect(again).toEqual(first)
    expect(new Set(first).size).toBe(20)
  }, 60_000)
})

it('a scenario is cut down to what it takes to break it', async () => {
  const plan = scenario(7)
  const isBroken = async ({ deeds }: typeof plan) => deeds.filter(({ kind }) => kind === 'pay').length >= 1
  const withPay = {
    ...plan,
    deeds: [...plan.deeds, { ...(plan.deeds[0] as (typeof plan.deeds)[0]), kind: 'pay' as const }],
  }
  const least = await shrunk(withPay, isBroken)
  expect([least.deeds.map(({ kind }) => kind), least.faults, least.ownFaults]).toEqual([['pay'], [], []])
})
