/** The races, short; `npm run test:long` plays more. `RACES_ORDERS=2000` plays as many, `RACES_SEED` others. */
import path from 'node:path'
import { expect, it } from 'vitest'
import { SIZE } from '../test/support/size.ts'
import { endOf, storyOf } from './report.ts'
import { run } from './run.ts'
import { demoStages, seededStages, unscannedStages } from './stages.ts'

const ORDERS = SIZE.racesOrders
const SEED = Number(process.env.RACES_SEED ?? 3)
const LONG_MS = 600_000 + ORDERS * 1_000

/** Two gateways where there are many orders; the short run has one. */
const GATEWAYS = ORDERS > 500 ? 2 : 1

it(
  `${ORDERS} orders of all kinds, codes paid while they are closed, and the demo's: no rule is broken`,
  async () => {
    const outcome = await run({
      seed: SEED,
      gateways: GATEWAYS,
      isKilled: false,
      atOnce: 16,
      hasBill: true,
      // A minute's expiry is for long runs.
      stages: [
        ...seededStages(SEED, ORDERS, { hasExpiry: ORDERS > 500 }),
        ...unscannedStages(SEED, Math.ceil(ORDERS / 10)),
        ...demoStages(SEED, Math.ceil(ORDERS / 10)),
      ],
      dir: path.dirname(import.meta.dirname),
      say: ORDERS > 500 ? console.log : () => {},
    })
    const { records, rests, violations } = outcome
    const stories = [...violations].map(([record, found]) =>
      storyOf(record, { rest: rests.get(record), violations: found, replay: `--seed ${SEED}` }).join('\n'),
    )
    expect(stories.join('\n\n')).toBe('')
    // It raced. How many kinds of ends there are depends on how fast the machine is.
    const ends = new Set(records.map((record) => endOf(record, rests.get(record))))
    expect(ends.size).toBeGreaterThanOrEqual(3)
  },
  LONG_MS,
)
