/** Keeps one Vitest with its cache of transformed files and runs what the conductor asks for, one ask after the other. */
import path from 'node:path'
import type { Reporter, TestCase, TestModule, TestSpecification, Vitest } from 'vitest/node'
import { BaseSequencer, createVitest } from 'vitest/node'
import type { Ask, Outcome, Ran } from './messages.ts'
import { ROOT, relative } from './places.ts'

const TEST_LIMIT_S = 30
const FILE_LIMIT_S = 60
/** How many times slower than recorded something may be before it counts as hanging. */
const PATIENCE = 5
const WORKERS = Number(process.env.ACOPAY_MUTATION_WORKERS ?? 1)

let order: string[] = []

class InOrder extends BaseSequencer {
  override async shard(files: TestSpecification[]) {
    return files
  }
  override async sort(files: TestSpecification[]) {
    const place = ({ moduleId }: TestSpecification) => order.indexOf(relative(moduleId))
    return [...files].sort((one, other) => place(one) - place(other))
  }
}

/** Follows what runs. It counts its own ticks and not the clock: a paused machine makes no test hang. */
class Watch implements Reporter {
  ran: Ran[] = []
  failure: { by: string; why: string } | null = null
  #ask: Ask = { files: [], changed: [], isRecording: false }
  #running = new Map<string, { name: string; ticksLeft: number }>()
  /** What tests took, as recorded and in truth: a machine that other work has slowed down makes no test hang. */
  #recordedMs = 1000
  #realMs = 1000

  begin(ask: Ask): void {
    this.#ask = ask
    this.ran = []
    this.failure = null
    this.#running.clear()
  }

  tick(): string | null {
    for (const one of this.#running.values()) {
      one.ticksLeft -= 1
      if (one.ticksLeft < 0) return one.name
    }
    return null
  }

  onTestModuleQueued(module: TestModule): void {
    const ms = this.#ask.files.find((file) => file.path === relative(module.moduleId))?.ms ?? 0
    this.#expect(module.id, relative(module.moduleId), FILE_LIMIT_S, ms)
  }

  onTestCaseReady(test: TestCase): void {
    const file = relative(test.module.moduleId)
    const ms = this.#ask.files.find(({ path: name }) => name === file)?.tests[test.fullName] ?? 0
    this.#expect(test.id, `${file} > ${test.fullName}`, TEST_LIMIT_S, ms)
  }

  #expect(id: string, name: string, limitS: number, ms: number): void {
    const slowness = Math.max(1, this.#realMs / this.#recordedMs)
    const ticksLeft = slowness * (limitS + (PATIENCE * ms) / 1000)
    if (!this.#ask.isRecording) this.#running.set(id, { name, ticksLeft })
  }

  onTestCaseResult(test: TestCase): void {
    this.#running.delete(test.id)
    const file = this.#ask.files.find(({ path: name }) => name === relative(test.module.moduleId))
    this.#recordedMs += file?.tests[test.fullName] ?? 0
    this.#realMs += file?.tests[test.fullName] === undefined ? 0 : (test.diagnostic()?.duration ?? 0)
    const result = test.result()
    if (result.state !== 'failed' || this.failure !== null) return
    this.failure = { by: `${relative(test.module.moduleId)} > ${test.fullName}`, why: result.errors[0]?.message ?? '' }
  }

  onTestModuleEnd(module: TestModule): void {
    this.#running.delete(module.id)
    const file = relative(module.moduleId)
    const { duration, collectDuration, prepareDuration, setupDuration } = module.diagnostic()
    const tests = [...module.children.allTests()]
    const error = module.errors()[0] ?? tests.flatMap((test) => test.result().errors ?? [])[0]
    const why = error?.message ?? 'a hook failed'
    this.ran.push({
      path: file,
      ok: module.state() === 'passed' || module.state() === 'skipped',
      why,
      ms: Math.round(duration + collectDuration + prepareDuration + setupDuration),
      passed: tests.filter((test) => test.result().state === 'passed').length,
      tests: Object.fromEntries(tests.map((test) => [test.fullName, Math.round(test.diagnostic()?.duration ?? 0)])),
    })
    if (module.state() === 'failed') this.failure ??= { by: file, why }
  }

  onTestRunEnd(_modules: unknown, errors: readonly { message: string }[]): void {
    if (errors[0] !== undefined) this.failure ??= { by: 'an error outside of any test', why: errors[0].message }
  }
}

const watch = new Watch()
// While mutants run, what the tests print is not shown.
const vitest = await createVitest(
  'test',
  {
    root: ROOT,
    config: path.join(ROOT, 'vitest.config.ts'),
    watch: false,
    project: ['unit', 'db'],
    reporters: [watch],
    silent: true,
    maxWorkers: WORKERS,
    bail: process.env.ACOPAY_MUTATION === 'record' ? 0 : 1,
    sequence: { sequencer: InOrder },
  },
  { clearScreen: false, logLevel: 'silent' },
)
// A project's own number goes before the one above. One worker keeps the order that was asked for; and as the order of the groups
// is overridden with the sequencer, Vitest would refuse two projects whose numbers differ.
for (const project of vitest.projects) project.config.maxWorkers = WORKERS
await vitest.standalone()

async function run(vitest: Vitest, ask: Ask): Promise<Outcome> {
  for (const file of ask.changed) vitest.invalidateFile(path.join(ROOT, file))
  order = ask.files.map((file) => file.path)
  const specs = await vitest.globTestSpecifications(order.map((file) => path.join(ROOT, file)))
  const asked = specs.filter(({ moduleId }) => order.includes(relative(moduleId)))
  watch.begin(ask)
  const { unhandledErrors } = await vitest.runTestSpecifications(asked)
  const stray = unhandledErrors[0] as Error | undefined
  // Vitest itself refused the run, which says nothing about the sources.
  if (stray !== undefined && watch.ran.length === 0) return { kind: 'broken', why: stray.message }
  const failure =
    watch.failure ?? (stray === undefined ? null : { by: 'an error outside of any test', why: stray.message })
  if (failure !== null) return { kind: 'failed', ...failure, files: watch.ran }
  // A file of which no test ran says nothing of a mutant; recorded, it reaches nothing: its tests run only at the long size.
  const ran = (file: string): boolean =>
    watch.ran.some((one) => one.path === file && (ask.isRecording || one.passed > 0))
  const missing = order.filter((file) => !ran(file))
  if (missing.length > 0) return { kind: 'broken', why: `${missing.join(', ')} did not run` }
  return { kind: 'passed', files: watch.ran }
}

const say = (outcome: Outcome | 'ready'): boolean | undefined => process.send?.(outcome)

setInterval(() => {
  const by = watch.tick()
  if (by === null) return
  say({ kind: 'hung', by })
  watch.begin({ files: [], changed: [], isRecording: true })
}, 1000).unref()

process.on('message', (ask: Ask) => {
  run(vitest, ask).then(say, (error: Error) => say({ kind: 'broken', why: error.stack ?? error.message }))
})
process.on('disconnect', () => process.exit())
say('ready')
