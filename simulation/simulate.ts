/**
 * `npm run simulate`: runs the real gateway under a simulated world, one schedule for each seed.
 *   --seeds N         the number of seeds (default 300)
 *   --from N          the first seed (default 1)
 *   --minutes N       as many seeds as fit into N minutes
 *   --workers N       the number of processes (default: the number of cores)
 *   --seed N          one seed, run twice: prints its story and checks that both are the same, byte for byte. A scenario that
 *                     breaks an invariant is cut down first
 *   --coverage        fails if an expected transition, fault or quirk never happened
 *   --stop-at-first   stops at the first violation
 */
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { missingCoverage } from './gateway/coverage.ts'
import { openDatabase, startDatabase } from './gateway/database.ts'
import { scenario } from './gateway/later-faults.ts'
import { runScenario } from './gateway/run.ts'
import { addTally, emptyTally, type Tally } from './gateway/seeds.ts'
import { shrunk } from './gateway/shrink.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    minutes: { type: 'string' },
    workers: { type: 'string', default: String(availableParallelism()) },
    coverage: { type: 'boolean', default: false },
    'stop-at-first': { type: 'boolean', default: false },
  },
})
const say = (line: string): void => void process.stdout.write(`${line}\n`)
const VIOLATIONS_SHOWN = 10
const PROGRESS_MS = 15_000

const database = await startDatabase()
const isFine = values.seed === undefined ? await many() : await one(Number(values.seed))
await database.stop()
process.exit(isFine ? 0 : 1)

async function one(seed: number): Promise<boolean> {
  const { connection, close } = await openDatabase(database.url, `simulation_${process.pid}`)
  const plan = scenario(seed)
  const first = await runScenario(connection, plan)
  const again = await runScenario(connection, plan)
  let shown = first
  if (first.violation !== null) {
    const what = first.violation.slice(0, 3)
    const least = await shrunk(
      plan,
      async (smaller) => (await runScenario(connection, smaller)).violation?.startsWith(what) === true,
    )
    say(`seed ${seed} cut down from ${plan.operations.length} operations and ${plan.faults.length} kinds of faults to`)
    say(
      `${least.operations.length} operations (${least.operations.map(({ kind }) => kind).join(', ')}), faults: ${least.faults.join(', ') || 'none'}\n`,
    )
    shown = await runScenario(connection, least)
  }
  for (const line of shown.story) say(line)
  say(`\nseed ${seed}: ${first.violation ?? 'nothing broke'}; ${first.hash}`)
  if (first.hash !== again.hash) say(`NOT DETERMINISTIC: the second run was ${again.hash}`)
  await close()
  return first.violation === null && first.hash === again.hash
}

async function many(): Promise<boolean> {
  const started = performance.now()
  const from = Number(values.from)
  const untilMs = values.minutes === undefined ? Number.MAX_SAFE_INTEGER : Date.now() + Number(values.minutes) * 60_000
  const count = Number(values.seeds ?? (values.minutes === undefined ? 300 : 1e9))
  const workers = Number(values.workers)
  const sum = emptyTally()
  const child = path.join(import.meta.dirname, 'seeds-process.ts')
  const children = Array.from({ length: workers }, (_, index) =>
    fork(
      child,
      [database.url, `simulation_${process.pid}_${index}`, from + index, workers, from + count - 1, untilMs].map(
        String,
      ),
      { execArgv: process.execArgv },
    ),
  )
  // Of a run that ends early no process goes on.
  process.once('exit', () => {
    for (const one of children) one.kill('SIGKILL')
  })
  const progress = setInterval(
    () => say(`${sum.schedules} schedules, ${sum.violations.length} violations …`),
    PROGRESS_MS,
  )
  const codes = await Promise.all(
    children.map((one) => {
      one.on('message', (tally: Tally) => {
        addTally(sum, tally)
        for (const { seed, what } of tally.violations) say(`seed ${seed} broke ${what} …`)
        if (values['stop-at-first'] && sum.violations.length > 0) for (const other of children) other.kill()
      })
      return new Promise<number | null>((resolve) => one.on('exit', resolve))
    }),
  )
  clearInterval(progress)
  const hasStopped = values['stop-at-first'] && sum.violations.length > 0
  if (!hasStopped && codes.some((code) => code !== 0)) say('a process of the simulation failed')
  report(sum, from, (performance.now() - started) / 60_000)
  const missing = values.coverage ? missingCoverage(sum.coverage) : []
  for (const what of missing) say(`NEVER HAPPENED: ${what}`)
  return sum.violations.length === 0 && missing.length === 0 && codes.every((code) => code === 0)
}

function report(sum: Tally, from: number, minutes: number): void {
  for (const [what, times] of Object.entries(sum.coverage).sort()) say(`${String(times).padStart(9)}  ${what}`)
  const { schedules, orders, crashes, statements, simulatedMs, violations } = sum
  say('')
  say(
    `${schedules} schedules, seeds ${from} to ${from + schedules - 1}: ${orders} orders, ${crashes} crashes, ${statements} statements`,
  )
  say(
    `${(simulatedMs / 86_400_000).toFixed(1)} simulated days in ${minutes.toFixed(1)} minutes: ${Math.round(schedules / minutes)} schedules a minute`,
  )
  say(`${violations.length} violations`)
  for (const { seed, what } of violations.slice(0, VIOLATIONS_SHOWN)) say(`  seed ${seed}: ${what}`)
}
