/**
 * `npm run citus-trial`: a gateway on a coordinator and two workers of Citus. Merchants place, open attempts, are paid, query, close and refund without a rest, while each worker is killed and a merchant is moved. Prints whose calls failed, how long the
 * others' took, and what is wrong in the books afterwards. `-- --merchants 8 --seconds 15`; `--races 200` plays the races too. Installs and fetches nothing.
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { run } from '../races/run.ts'
import { demoStages } from '../races/stages.ts'
import { citusPrograms, databaseOf, HOW_TO_GET_CITUS, makeCluster } from '../test/support/citus.ts'
import { openTrial, type Trial } from '../test/support/nodes-trial/opened.ts'
import { failedOf, type Report, runTrial } from '../test/support/nodes-trial/trial.ts'
import { ownTemporaryFolder, quickFolder } from './leftovers.mjs'

const { values } = parseArgs({
  options: {
    merchants: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '15' },
    lanes: { type: 'string', default: '1' },
    races: { type: 'string', default: '0' },
  },
})
const SEED = 1
/** While a node is dead the others' slowest calls take at most so many times what they took before, and half a second. */
const TIMES = 3
const MORE_MS = 500

const say = (line: string): void => console.log(line)

/** How many orders are against a rule. */
async function races({ citus }: Trial, orders: number): Promise<number> {
  if (orders === 0) return 0
  await makeCluster(citus, 'races')
  const { violations } = await run({
    ...{ seed: SEED, gateways: 1, isKilled: false, atOnce: 4, hasBill: true, say },
    stages: demoStages(SEED, orders),
    dir: path.dirname(import.meta.dirname),
    env: { DATABASE_URL: databaseOf(citus.url, 'races') },
  })
  say(`races: ${orders} orders, ${violations.size} against a rule`)
  return violations.size
}

/** What the gateway's log says of errors, each with how often; so that it is seen what failed below an answer 1500. */
function loggedErrors(output: string): string[] {
  const counts = new Map<string, number>()
  for (const line of output.split('\n').filter((one) => one.startsWith('{'))) {
    const { msg, err } = JSON.parse(line) as { msg: string; err?: { message: string } }
    const what = `${msg}: ${err?.message ?? ''}`.replaceAll(/\s+/g, ' ').slice(0, 200)
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return [...counts].sort(([, one], [, other]) => other - one).map(([what, count]) => `${count} × ${what}`)
}

function isRight({ rows, wrong }: Report): boolean {
  const isFine = rows.every(({ othersFailed, p99: { before, during, after } }) => {
    const bound = TIMES * before + MORE_MS
    return failedOf(othersFailed) === 0 && during <= bound && after <= bound
  })
  return isFine && wrong.length === 0
}

async function main(): Promise<number> {
  if (citusPrograms() === null) {
    say(`跳过 SKIPPED: ${HOW_TO_GET_CITUS}`)
    return 0
  }
  const dir = ownTemporaryFolder(quickFolder(), 'acopay-trial-')
  try {
    const trial = await openTrial(dir, Number(values.merchants))
    try {
      const sizes = { phaseMs: Number(values.seconds) * 1000, lanes: Number(values.lanes) }
      const report = await runTrial(trial, sizes, say)
      say(`${report.orders} orders, ${report.closed} acknowledged as closed, ${report.wrong.length} wrong afterwards`)
      for (const line of report.wrong) say(`  ${line}`)
      const against = await races(trial, Number(values.races))
      say(`bound of the others' p99: ${TIMES} times that of before, and ${MORE_MS} ms`)
      return isRight(report) && against === 0 ? 0 : 1
    } finally {
      for (const line of loggedErrors(trial.gateway.output())) say(`log: ${line}`)
      await trial.stop()
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

process.exitCode = await main()
