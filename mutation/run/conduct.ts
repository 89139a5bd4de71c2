/** Runs mutants: one after the other in each process, the likeliest and cheapest tests first, up to the first that fails. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { type Mutant, mutated } from '../mutant.ts'
import { functionsIn } from '../plant/functions.ts'
import { plant } from '../plant/plant.ts'
import { CACHE, FUNCTIONS, isMigration, LAST_TESTS, ROOT } from './places.ts'
import type { Feels, Reach } from './reach.ts'
import { NOT_STORED } from './stored.ts'
import { startTestProcess, type TestProcess } from './test-processes.ts'

export type Verdict =
  | { kind: 'found'; by: string; why: string }
  | { kind: 'hung'; by: string }
  /** `left`: test files that could feel it and were not run, because the others took `patienceMs` already. */
  | { kind: 'survived'; ran: number; left: number }
  | { kind: 'never run' }
  | { kind: 'broken'; why: string }

export type Judge = (mutant: Mutant, verdict: Verdict, done: number) => void

type Known = Record<string, { by: string; why: string; kind: 'found' | 'hung'; source: string; test: string }>
const KNOWN = path.join(CACHE, 'found.json')
const FINDERS = path.join(CACHE, 'finders.json')
/** The tests that ran with a mutant in and did not find it, by their texts. */
type Survivors = Record<string, { source: string; passed: Record<string, string> }>
const SURVIVORS = path.join(CACHE, 'survivors.json')

const readJson = <Value>(place: string, none: Value): Value =>
  fs.existsSync(place) ? (JSON.parse(fs.readFileSync(place, 'utf8')) as Value) : none
const hashOfFile = (file: string): string => {
  const full = path.join(ROOT, file)
  return fs.existsSync(full) ? createHash('sha256').update(fs.readFileSync(full)).digest('hex').slice(0, 16) : ''
}

/** What earlier runs found: still true while neither the source nor the test that found it has changed. */
class Memory {
  #known: Known = readJson(KNOWN, {})
  #finders: Record<string, Record<string, number>> = readJson(FINDERS, {})
  #survivors: Survivors = readJson(SURVIVORS, {})

  verdict({ id, file }: Mutant): Verdict | null {
    const known = this.#known[id]
    if (known === undefined || known.source !== hashOfFile(file)) return null
    return known.test === hashOfFile(testOf(known.by)) ? { kind: known.kind, by: known.by, why: known.why } : null
  }

  keep({ id, file }: Mutant, verdict: Verdict): void {
    if (verdict.kind !== 'found' && verdict.kind !== 'hung') return
    const test = testOf(verdict.by)
    const why = verdict.kind === 'found' ? verdict.why : ''
    this.#known[id] = { kind: verdict.kind, by: verdict.by, why, source: hashOfFile(file), test: hashOfFile(test) }
    const finders = this.#finders[file] ?? {}
    finders[test] = (finders[test] ?? 0) + 1
    this.#finders[file] = finders
    fs.mkdirSync(path.dirname(KNOWN), { recursive: true })
    fs.writeFileSync(KNOWN, JSON.stringify(this.#known))
    fs.writeFileSync(FINDERS, JSON.stringify(this.#finders))
  }

  /** Those that have not run with this mutant in, as they and its source are now. */
  untried({ id, file }: Mutant, all: Feels[]): Feels[] {
    const known = this.#survivors[id]
    if (known?.source !== hashOfFile(file)) return all
    return all.filter((one) => known.passed[one.path] !== hashOfFile(one.path))
  }

  keepSurvivor({ id, file }: Mutant, ran: Feels[]): void {
    const source = hashOfFile(file)
    const known = this.#survivors[id]
    const passed = known?.source === source ? known.passed : {}
    for (const one of ran) passed[one.path] = hashOfFile(one.path)
    this.#survivors[id] = { source, passed }
    fs.mkdirSync(path.dirname(SURVIVORS), { recursive: true })
    fs.writeFileSync(SURVIVORS, JSON.stringify(this.#survivors))
  }

  /**
   * The likeliest and cheapest first: a test file that found mutants of this source before, or of its neighbours, or that is
   * named after what the source is about.
   */
  order(file: string, all: Feels[]): Feels[] {
    const [own, near] = [this.#finders[file] ?? {}, this.#findersIn(path.dirname(file))]
    const words = wordsOf(file)
    const likely = (test: string): number =>
      1 + 2 * (own[test] ?? 0) + (near[test] ?? 0) / 2 + 2 * wordsOf(test).filter((word) => words.includes(word)).length
    // Of those that only load the file, nearly all have nothing to do with it.
    const cost = ({ ms, isByLoading, path: test }: Feels): number =>
      isByLoading ? (20 * (ms + 1500)) / likely(test) ** 2 : (ms + 1500) / likely(test)
    return all
      .map((one) => ({ one, cost: cost(one) }))
      .sort((first, second) => first.cost - second.cost)
      .map(({ one }) => one)
  }

  #findersIn(folder: string): Record<string, number> {
    const near: Record<string, number> = {}
    for (const [file, found] of Object.entries(this.#finders)) {
      if (path.dirname(file) !== folder) continue
      for (const [test, count] of Object.entries(found)) near[test] = (near[test] ?? 0) + count
    }
    return near
  }
}

/** The words that a path is made of, each cut to the stem that they share: `refund` and `refunds`, `close` and `closing`. */
const wordsOf = (file: string): string[] => [
  ...new Set(
    file
      .replace(/\.test\.ts$|\.ts$/, '')
      .split(/[^a-z]+/)
      .filter((word) => word.length > 3 && !/^(?:apps|server|packages|store|actions|http|test|tests)$/.test(word))
      .map((word) => word.slice(0, 4)),
  ),
]

const testOf = (by: string): string => by.split(' > ')[0] ?? ''

export type Conducting = { workers: number; patienceMs: number; isFresh: boolean }

/** Takes mutants from `next` until it has none; answers when every verdict was given to `judge`. */
export async function conduct(
  next: () => Mutant | null,
  reach: Pick<Reach, 'of'>,
  { workers, patienceMs, isFresh }: Conducting,
  judge: Judge,
): Promise<void> {
  const memory = new Memory()
  let done = 0
  const decided = async (tests: Lazy, mutant: Mutant): Promise<Verdict> => {
    const all = reach.of(mutant)
    if (all.length === 0) return { kind: 'never run' }
    const untried = isFresh ? all : memory.untried(mutant, all)
    const run = withinPatience(memory.order(mutant.file, untried), patienceMs)
    const verdict = run.length === 0 ? null : await tried(tests, mutant, run)
    if (verdict !== null) return verdict
    memory.keepSurvivor(mutant, run)
    return { kind: 'survived', ran: all.length - untried.length + run.length, left: untried.length - run.length }
  }
  const work = async (): Promise<void> => {
    const tests = new Lazy()
    for (let mutant = next(); mutant !== null; mutant = next()) {
      const known = isFresh ? null : memory.verdict(mutant)
      const verdict = known ?? (await decided(tests, mutant))
      if (known === null) memory.keep(mutant, verdict)
      done += 1
      judge(mutant, verdict, done)
    }
    await tests.stop()
  }
  await Promise.all(Array.from({ length: workers }, work))
}

/** A process for tests that is started when the first mutant needs it. */
class Lazy {
  #started: Promise<TestProcess> | null = null
  start(): Promise<TestProcess> {
    this.#started ??= startTestProcess('plant', 1)
    return this.#started
  }
  async stop(): Promise<void> {
    await (await this.#started)?.stop()
  }
}

function withinPatience(all: Feels[], patienceMs: number): Feels[] {
  let spent = 0
  return all.filter(({ ms }, index) => {
    if (index > 0 && spent + ms > patienceMs) return false
    spent += ms
    return true
  })
}

/** Null: none of these tests has found it. */
async function tried(lazy: Lazy, mutant: Mutant, run: Feels[]): Promise<Verdict | null> {
  const tests = await lazy.start()
  const text = fs.readFileSync(path.join(ROOT, mutant.file), 'utf8')
  // The source may have changed since the draw: the same mistake stands elsewhere then.
  const now = plant(mutant.file, text).find(({ id }) => id === mutant.id) ?? mutant
  const takeBack = serve(tests.served, now, text)
  const last = Object.fromEntries(run.map((one) => [one.path, one.last]))
  fs.writeFileSync(path.join(tests.served, LAST_TESTS), JSON.stringify(last))
  const ask = { files: run, changed: [mutant.file], isRecording: false }
  const first = await tests.ask(ask)
  // A process that broke says nothing about the mutant, and one that hung may have had too little of the machine: a new one is asked.
  const outcome = first.kind === 'broken' || first.kind === 'hung' ? await tests.ask(ask) : first
  takeBack()
  // The next mutant may lie elsewhere: this file is read again from the disk then.
  tests.forget(mutant.file)
  switch (outcome.kind) {
    case 'passed':
      return null
    case 'failed':
      if (outcome.why.startsWith(NOT_STORED)) return { kind: 'broken', why: outcome.why }
      return { kind: 'found', by: outcome.by, why: outcome.why }
    default:
      return outcome
  }
}

/** Gives the tests the text with the mistake in; the answer takes it back. A stored function is put back with the next one. */
function serve(folder: string, mutant: Mutant, text: string): () => void {
  if (isMigration(mutant.file)) {
    const place = path.join(folder, FUNCTIONS)
    const before = fs.existsSync(place) ? fs.readFileSync(place, 'utf8') : ''
    fs.writeFileSync(place, before + storing(mutated(text, mutant), mutant.within))
    return () => fs.writeFileSync(place, storing(text, mutant.within))
  }
  const place = path.join(folder, mutant.file)
  fs.mkdirSync(path.dirname(place), { recursive: true })
  fs.writeFileSync(place, mutated(text, mutant))
  return () => fs.rmSync(place)
}

/** The statement that stores this function of a migration, also where it is stored already. */
const storing = (migration: string, name: string): string =>
  functionsIn(migration)
    .filter((stored) => stored.name === name)
    .map(({ text }) => `${text.replace(/^create function/, 'create or replace function')}\n`)
    .join('')
