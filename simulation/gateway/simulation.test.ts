/** Runs the real gateway under a simulated world, for some seeds. `npm run simulate` runs as many as you like. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { SIZE } from '../../test/support/size.ts'
import { openDatabase } from './database.ts'
import { scenario } from './later-faults.ts'
import { runScenario } from './run.ts'
import { firstScenario } from './scenario.ts'
import { shrunk } from './shrink.ts'

const SEEDS = SIZE.simulationSeeds
/** Few enough for one test even on a slow machine. */
const SEEDS_OF_ONE_TEST = 20

/**
 * Later seeds that once broke an invariant (docs/proof.md), without the faults that were added since. A change of the
 * simulator's random streams changes what they mean.
 */
const REGRESSIONS = [1456, 1538, 2046, 2130, 1_006_226]

let database: Awaited<ReturnType<typeof openDatabase>>
beforeAll(async () => {
  database = await openDatabase(inject('postgresUrl'), `acopay_simulation_${process.pid}`)
})
afterAll(() => database.close())

const run = (seed: number) => runScenario(database.connection, scenario(seed))
const runFirst = (seed: number) => runScenario(database.connection, firstScenario(seed))

async function expectNothingBreaks(seeds: number[], runSeed = run): Promise<void> {
  const broken: string[] = []
  for (const seed of seeds) {
    const { violation } = await runSeed(seed)
    if (violation !== null) broken.push(`npm run simulate -- --seed ${seed}   ${violation}`)
  }
  expect(broken).toEqual([])
}

const seedsFrom = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index)

it.each(REGRESSIONS)('nothing breaks in the schedule of seed %i, which broke something once', (seed) =>
  expectNothingBreaks([seed], runFirst),
)

it('the seed that both READMEs show has what they say of it: two payers, two crashes and a merchant who closes', async () => {
  const seeds = ['README.md', 'README.zh-CN.md'].map((name) => {
    const text = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
    return Number(/npm run simulate -- --seed (\d+)/.exec(text)?.[1])
  })
  expect(new Set(seeds).size).toBe(1)
  const { story } = await run(seeds[0] as number)
  const count = (what: RegExp): number => story.filter((line) => what.test(line)).length
  expect([count(/payer pays attempt/), count(/: crashes$/), count(/is asked to close/)]).toEqual([2, 2, 2])
})

const FIRSTS = seedsFrom(0, Math.ceil(SEEDS / SEEDS_OF_ONE_TEST)).map((part) => part * SEEDS_OF_ONE_TEST + 1)
it.each(FIRSTS)(`nothing breaks in the schedules of ${SEEDS_OF_ONE_TEST} seeds from %i on`, (first) =>
  expectNothingBreaks(seedsFrom(first, Math.min(SEEDS_OF_ONE_TEST, SEEDS - first + 1))),
)

describe('the same seed', () => {
  it('gives the same story, byte for byte, no matter what ran before', async () => {
    const first = []
    for (let seed = 1; seed <= 20; seed += 1) first.push((await run(seed)).hash)
    const again = []
    for (let seed = 20; seed >= 1; seed -= 1) again.unshift((await run(seed)).hash)
    expect(again).toEqual(first)
    expect(new Set(first).size).toBe(20)
  })
})

it('a scenario is cut down to what it takes to break it', async () => {
  const plan = scenario(7)
  const isBroken = async ({ operations }: typeof plan) => operations.filter(({ kind }) => kind === 'pay').length >= 1
  const withPay = {
    ...plan,
    operations: [...plan.operations, { ...(plan.operations[0] as (typeof plan.operations)[0]), kind: 'pay' as const }],
  }
  const least = await shrunk(withPay, isBroken)
  expect([least.operations.map(({ kind }) => kind), least.faults, least.ownFaults]).toEqual([['pay'], [], []])
})
