/**
 * `npm run mutants:pure -- --in packages/core,packages/protocol/src/sign.ts [--force] [--concurrency 2]`: plants one
 * mistake after another in code that needs no database, and tells which of them no test finds (docs/proof/mutants.md).
 * Without `--in` all areas are run. Results are kept and used again where neither the code nor its tests changed; `--force`
 * forgets them. Ends with 1 when a survivor is not judged in scripts/pure-mutants/judged.json.
 */
import fs from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Stryker } from '@stryker-mutator/core'
import { AREA_NAMES, type Area, areaOf, ROOT } from './pure-mutants/areas.ts'
import { KEPT, makeCopy, removeCopy } from './pure-mutants/copy.ts'
import { isFound, type Judgement, type Survivor, scoreOf, type Verdict, verdictOf } from './pure-mutants/judge.ts'
import { addNumberMutator } from './pure-mutants/number-mutator.ts'
import { pageWith } from './pure-mutants/page.ts'
import { TESTS_VARIABLE } from './pure-mutants/tests-variable.ts'

const JUDGED = path.join(ROOT, 'scripts/pure-mutants/judged.json')
const PAGES = { en: 'docs/proof/mutants.md', zh: 'docs/proof/mutants.zh-CN.md' }

const { values } = parseArgs({
  options: {
    in: { type: 'string', default: AREA_NAMES.join(',') },
    force: { type: 'boolean', default: false },
    concurrency: { type: 'string', default: '2' },
  },
})

async function mutate({ name, mutate, tests, isWithin }: Area): Promise<Verdict> {
  if (tests.length === 0) throw new Error(`${name} has no unit test, so nothing there can find a mutant`)
  process.env[TESTS_VARIABLE] = tests.join(',')
  const kept = path.join(KEPT, `${name.replace('/', '-')}.json`)
  forgetDoubtful(kept)
  // Stryker mutates the folder in which it is run.
  process.chdir(makeCopy())
  const mutants = await new Stryker({
    mutate,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'scripts/pure-mutants/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    incremental: true,
    incrementalFile: kept,
    force: values.force,
    concurrency: Number(values.concurrency),
    symlinkNodeModules: false,
    reporters: ['progress'],
    // A machine that is busy with other work is no endless loop. One in mutated code is ended after so many rounds.
    timeoutMS: 60_000,
    dryRunTimeoutMinutes: 60,
    allowEmpty: true,
  }).runMutationTest()
  const judgements: Judgement[] = JSON.parse(fs.readFileSync(JUDGED, 'utf8'))
  return verdictOf(
    mutants
      .map((mutant) => ({ ...mutant, fileName: path.relative(process.cwd(), path.resolve(mutant.fileName)) }))
      // What was kept of the other files of the area is no result of this run.
      .filter(({ fileName }) => isWithin(fileName)),
    (file) => fs.readFileSync(path.join(ROOT, file), 'utf8'),
    judgements,
  )
}

/** Stryker does not try a survivor again when a new file has tests, nor what ran out of time; so it is made to forget them. */
function forgetDoubtful(kept: string): void {
  if (!fs.existsSync(kept)) return
  const report: { files: Record<string, { mutants: { status: string }[] }> } = JSON.parse(fs.readFileSync(kept, 'utf8'))
  for (const file of Object.values(report.files)) {
    file.mutants = file.mutants.filter(({ status }) => isFound(status) && status !== 'Timeout')
  }
  fs.writeFileSync(kept, JSON.stringify(report))
}

function tell(place: string, verdict: Verdict): void {
  const { mutants, found, neverRun, accepted, unjudged, stale } = verdict
  for (const one of unjudged)
    console.log(`${one.file}:${one.at} ${one.isNeverRun ? 'NEVER RUN' : 'SURVIVED'}\n  ${entry(one)}`)
  for (const one of stale) console.log(`no survivor any more, take it out of judged.json: ${entry(one)}`)
  console.log(
    `${place}: ${found} of ${mutants} found, ${scoreOf(verdict)} %; ${neverRun} never run, ${accepted.length} accepted, ${unjudged.length} not judged`,
  )
}

/** What to write into judged.json. */
const entry = ({ file, line, from, to }: Survivor | Judgement): string =>
  JSON.stringify({ file, line, from, to, why: '', zh: '' })

await addNumberMutator()
let isFine = true
for (const place of values.in.split(',')) {
  const area = areaOf(place)
  const verdict = await mutate(area)
  tell(place, verdict)
  isFine &&= verdict.unjudged.length === 0 && (!area.isWhole || verdict.stale.length === 0)
  if (!area.isWhole) continue
  for (const tongue of ['en', 'zh'] as const) {
    const place = path.join(ROOT, PAGES[tongue])
    const page = fs.existsSync(place) ? fs.readFileSync(place, 'utf8') : null
    fs.mkdirSync(path.dirname(place), { recursive: true })
    fs.writeFileSync(place, pageWith(page, tongue, { name: area.name, verdict }))
  }
}
removeCopy()
process.exit(isFine ? 0 : 1)
