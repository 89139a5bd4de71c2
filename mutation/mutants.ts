/**
 * `npm run mutants`: plants mistakes one at a time and runs the tests that can feel them. CONTRIBUTING.md says how to use it.
 * Exit code 1: a mistake was found by no test, and no sentence in judged.json says why that may be.
 */
import { parseArgs } from 'node:util'
import { compiler } from './compiles.ts'
import { Draws, drawsOf } from './draws.ts'
import { readJudged, staleJudgments } from './judged.ts'
import type { Mutant } from './mutant.ts'
import { isFound, progress, writeReport } from './report.ts'
import { conduct } from './run/conduct.ts'
import { readReach } from './run/reach.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string', default: '1' },
    sample: { type: 'string' },
    in: { type: 'string', default: 'apps/server,packages/store,packages/channels' },
    changed: { type: 'boolean', default: false },
    hot: { type: 'boolean', default: false },
    id: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
    tests: { type: 'string', default: '' },
    report: { type: 'boolean', default: false },
    fresh: { type: 'boolean', default: false },
    workers: { type: 'string', default: '2' },
    patience: { type: 'string', default: '90' },
  },
})
// Ending by a signal is an exit as well, which ends the processes that run tests.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130))
const print = (line: string): boolean => process.stdout.write(`${line}\n`)
const wanted = drawsOf({
  ids: values.id,
  changed: values.changed ? (positionals[0] ?? 'origin/main') : null,
  hot: values.hot,
  folders: values.in.split(','),
  seeds: values.seed.split(',').map(Number),
  sample: values.sample === undefined ? null : Number(values.sample),
})
const judged = readJudged()
const stale = staleJudgments(judged)
for (const line of stale) print(line)
if (values.list) list()
else await run()
if (stale.length > 0) process.exitCode = 1
// What was printed goes out first.
process.stdout.write('', () => process.exit())

function list(): void {
  for (const { mutants, size } of wanted) {
    for (const { id, kind, line, says } of mutants.slice(0, size)) print(`${id}  [${kind}] line ${line}: ${says}`)
  }
}

async function run(): Promise<void> {
  const draws = new Draws(wanted, compiler())
  const workers = Number(values.workers)
  const reach = await readReach(workers, values.tests.split(',').filter(Boolean), print)
  const show = progress(
    wanted.reduce((sum, { size }) => sum + size, 0),
    judged,
    print,
  )
  const conducting = { workers, patienceMs: Number(values.patience) * 1000, isFresh: values.fresh }
  // What was judged survives; only --fresh asks whether a test finds it by now.
  const next = (): Mutant | null => {
    let mutant = draws.next()
    for (; mutant !== null && judged.has(mutant.id) && !values.fresh; mutant = draws.next()) {
      draws.judge(mutant, { kind: 'survived', ran: 0, left: 0 })
    }
    return mutant
  }
  await conduct(next, reach, conducting, (mutant, verdict, done) => {
    draws.judge(mutant, verdict)
    show(mutant, verdict, done)
  })
  const results = wanted.flatMap((draw) => draw.results)
  const unjudged = new Set(
    results.filter((one) => !isFound(one) && !judged.has(one.mutant.id)).map(({ mutant }) => mutant.id),
  )
  for (const draw of wanted) {
    const found = draw.results.filter(isFound).length
    print(`${draw.name.en}: ${found} of ${draw.results.length} found (${draw.refused} more do not compile)`)
  }
  if (values.report) print(`written: ${writeReport(wanted, judged, process.argv.slice(2)).join(', ')}`)
  if (unjudged.size > 0) print(`\nFound by no test and not judged:\n${[...unjudged].join('\n')}`)
  if (unjudged.size > 0) process.exitCode = 1
}
