/** Which test reaches which mark of which source: recorded once, kept in .mutation/, and renewed where a test changed. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { testFiles } from '../../test/support/tiers.ts'
import type { Mutant } from '../mutant.ts'
import { namesAround, parse } from '../plant/syntax.ts'
import type { Recorded } from './in-worker.ts'
import { instrumented, marksOf, pointAt } from './instrument.ts'
import type { Ran } from './messages.ts'
import { CACHE, isMigration, isPlantable, REACHED, ROOT } from './places.ts'
import { exportedAround, relatedMarks, usingMarks } from './related.ts'
import { startTestProcess } from './test-processes.ts'

/** One test file: what its tests reach, and how long all of it takes. */
type Known = Recorded & Pick<Ran, 'path' | 'ms' | 'ok' | 'why'> & { hashes: Record<string, string> }

/** A test file that can feel a mutant, up to its last test that can. */
export type Feels = { path: string; last: number; ms: number; isByLoading: boolean; tests: Record<string, number> }

const TEXTS = path.join(CACHE, 'texts')
const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16)
const textOf = (file: string): string => {
  const full = path.join(ROOT, file)
  return fs.existsSync(full) ? fs.readFileSync(full, 'utf8') : ''
}
const placeOf = (file: string): string => path.join(REACHED, `${file.replaceAll('/', '~')}.json`)

/** Records what is not known yet, and reads the rest. `only`: beginnings of the test files that count; none: all of them. */
export async function readReach(workers: number, only: string[], say: (line: string) => void): Promise<Reach> {
  fs.mkdirSync(REACHED, { recursive: true })
  fs.mkdirSync(TEXTS, { recursive: true })
  // The planter's own tests feel no mistake in what it plants in, and those of the scripts read it from the disk.
  const files = testFiles().filter(({ tier, path: file }) => tier !== 'pages' && isAsked(file, only))
  const old = files.map((file) => file.path).filter((file) => !isCurrent(read(file)))
  if (old.length > 0) await record(old, workers, say)
  const known = files.flatMap((file) => read(file.path) ?? [])
  for (const { path: file, why } of known.filter(({ ok }) => !ok)) {
    say(`${file} fails without any mutant and is left out: ${why}`)
  }
  return new Reach(known.filter(({ ok }) => ok))
}

const isAsked = (file: string, only: string[]): boolean =>
  !/^(?:mutation|scripts)\//.test(file) && (only.length === 0 || only.some((begin) => file.startsWith(begin)))

const read = (file: string): Known | null => readOr<Known | null>(placeOf(file), null)

const readOr = <Value>(place: string, none: Value): Value =>
  fs.existsSync(place) ? (JSON.parse(fs.readFileSync(place, 'utf8')) as Value) : none

/**
 * As long as the test is the same. A changed source is read by the names of its functions, and a changed helper is not asked:
 * what its tests reach besides is not known then, which can only make the score too low.
 */
const isCurrent = (known: Known | null): boolean =>
  known?.ok === true && known.hashes[known.path] === hashOf(textOf(known.path))

/** So many at once, so that a recording that is broken off goes on there the next time. */
const RECORDED_AT_ONCE = 12

async function record(files: string[], workers: number, say: (line: string) => void): Promise<void> {
  const tests = await startTestProcess('record', workers)
  for (const file of sources()) serve(tests.served, file)
  for (let from = 0; from < files.length; from += RECORDED_AT_ONCE) {
    say(`recording which test reaches what: ${from} of ${files.length} test files; this takes long only the first time`)
    const some = files.slice(from, from + RECORDED_AT_ONCE)
    const asked = some.map((file) => ({ path: file, ms: 0, tests: {} }))
    const outcome = await tests.ask({ files: asked, changed: [], isRecording: true })
    if (outcome.kind === 'hung' || outcome.kind === 'broken') throw new Error(`recording: ${JSON.stringify(outcome)}`)
    for (const ran of outcome.files) keepRecord(ran)
    const missing = some.filter((file) => !outcome.files.some((ran) => ran.path === file))
    if (missing.length > 0) throw new Error(`recording: ${missing.join(', ')} did not run`)
  }
  await tests.stop()
}

function keepRecord({ path: file, ok, why, ms }: Ran): void {
  const fresh = placeOf(file).replace(/json$/, 'new')
  // A file that could not be loaded has told nothing.
  const found = readOr<Recorded>(fresh, { tests: [], outside: {}, loaded: [] })
  fs.rmSync(fresh, { force: true })
  const hashes = Object.fromEntries([file, ...found.loaded].map((one) => [one, keep(one)]))
  fs.writeFileSync(placeOf(file), JSON.stringify({ ...found, path: file, ok, why, ms, hashes } satisfies Known))
}

/** Keeps a plantable text, so that its marks can still be read when it has changed. */
function keep(file: string): string {
  const text = textOf(file)
  const hash = hashOf(text)
  if (isPlantable(file)) fs.writeFileSync(path.join(TEXTS, hash), text)
  return hash
}

function serve(folder: string, file: string): void {
  const text = textOf(file)
  const served = isPlantable(file)
    ? instrumented(file, text)
    : `globalThis.__reached?.(${JSON.stringify(file)},1);${text}`
  const place = path.join(folder, file)
  fs.mkdirSync(path.dirname(place), { recursive: true })
  fs.writeFileSync(place, served)
}

/** Every TypeScript file that a test may load; what only tells that it was loaded is asked of test files and their helpers. */
function sources(): string[] {
  const folders = ['packages', 'apps', 'simulation', 'races', 'test', 'examples', 'bench']
  return folders.flatMap((folder) =>
    fs
      .readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
      .filter(
        (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !/(?:^|\/)(?:node_modules|dist)\//.test(name),
      ),
  )
}

export class Reach {
  #known: Known[]
  #names = new Map<string, string[]>()
  #texts = new Map<string, string>()

  constructor(known: Known[]) {
    this.#known = known
  }

  /** Every test file that can feel it, the cheapest first. A stored function is felt where it is called. */
  of(mutant: Mutant): Feels[] {
    if (!isMigration(mutant.file)) return this.#feeling(mutant)
    const felt = new Map<string, Feels>()
    for (const one of callsOf(mutant.within).flatMap((call) => this.#feeling({ ...mutant, ...call }))) {
      const other = felt.get(one.path)
      if (other === undefined || other.last < one.last) felt.set(one.path, one)
    }
    return [...felt.values()].sort((one, other) => costOf(one) - costOf(other))
  }

  #feeling(mutant: Mutant): Feels[] {
    const text = this.#textOf(mutant.file)
    const hash = hashOf(text)
    const mark = pointAt(marksOf(mutant.file, text), mutant.start, mutant.end)
    const related = [
      { file: mutant.file, hash, marks: relatedMarks(mutant.file, text, mutant) },
      ...this.#usesOf(exportedAround(mutant.file, text, mutant), mutant.file),
    ]
    const found = this.#known.flatMap((known) => {
      const isSame = known.hashes[mutant.file] === hash
      const felt = feels(known, mutant.file, isSame ? new Set([mark]) : this.#byName(known, mutant))
      const closer = isSame && felt?.isByLoading === true ? related.flatMap((use) => feelsUse(known, use) ?? []) : []
      return closer.filter((one) => !one.isByLoading).sort((one, other) => other.last - one.last)[0] ?? felt ?? []
    })
    return found.sort((one, other) => costOf(one) - costOf(other))
  }

  /** Where other sources use these names. */
  #usesOf(names: string[], except: string): Use[] {
    if (names.length === 0) return []
    return sources()
      .filter((file) => isPlantable(file) && file !== except)
      .map((file) => ({ file, hash: hashOf(this.#textOf(file)), marks: usingMarks(file, this.#textOf(file), names) }))
      .filter(({ marks }) => marks.size > 0)
  }

  #textOf(file: string): string {
    const text = this.#texts.get(file) ?? textOf(file)
    this.#texts.set(file, text)
    return text
  }

  /** The source changed since: whatever bore the mutant's function's name then, or anything where nothing did. */
  #byName(known: Known, { file, within }: Mutant): Set<number> {
    const hash = known.hashes[file]
    if (hash === undefined) return new Set()
    const names = this.#names.get(hash) ?? namesOfMarks(file, fs.readFileSync(path.join(TEXTS, hash), 'utf8'))
    this.#names.set(hash, names)
    const same = names.flatMap((name, index) => (name === within ? [index] : []))
    return new Set(same.length > 0 ? same : names.keys())
  }
}

/** The places in the sources that call a stored function. */
function callsOf(name: string): Pick<Mutant, 'file' | 'start' | 'end' | 'within'>[] {
  return sources()
    .filter(isPlantable)
    .flatMap((file) => {
      const text = textOf(file)
      return [...text.matchAll(new RegExp(`\\b${name}\\(`, 'g'))].map(({ index }) => ({
        file,
        start: index,
        end: index + name.length,
        within: namesAt(file, text, index),
      }))
    })
}

/** What is felt only by loading a file is felt by many tests that have nothing to do with it: they come last. */
const costOf = ({ ms, isByLoading }: Feels): number => (1500 + ms) * (isByLoading ? 20 : 1)

type Use = { file: string; hash: string; marks: Set<number> }

const feelsUse = (known: Known, { file, hash, marks }: Use): Feels | null =>
  known.hashes[file] === hash ? feels(known, file, marks) : null

function feels(known: Known, file: string, marks: Set<number>): Feels | null {
  const reaches = (reached: number[] | undefined): boolean => reached?.some((mark) => marks.has(mark)) === true
  const { path: name, ms } = known
  const tests = Object.fromEntries(known.tests.map((test) => [test.name, test.ms]))
  if (reaches(known.outside[file])) return { path: name, ms, last: known.tests.length - 1, isByLoading: true, tests }
  const last = known.tests.findLastIndex((test) => reaches(test.reached[file]))
  if (last === -1) return null
  const rest = known.tests.slice(last + 1).reduce((sum, test) => sum + test.ms, 0)
  return { path: name, ms: Math.max(0, ms - rest), last, isByLoading: false, tests }
}

function namesOfMarks(file: string, text: string): string[] {
  const source = parse(file, text)
  return marksOf(file, text).points.map(({ start, end }) => namesOver(source, start, end))
}

const namesAt = (file: string, text: string, at: number): string => namesOver(parse(file, text), at, at)

function namesOver(source: ReturnType<typeof parse>, start: number, end: number): string {
  let node: (typeof source)['statements'][number] | typeof source = source
  const down = (one: typeof node): void => {
    if (one.getStart(source) > start || one.getEnd() < end) return
    node = one
    one.forEachChild((inner) => down(inner as typeof node))
  }
  down(source)
  return node === source ? 'module' : namesAround(node)
}
