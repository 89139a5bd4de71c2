/**
 * Loaded before each test file while mutants run. While recording, it notes which test reaches which marks; with a mutant in,
 * it skips what comes after the last test that can feel it. Processes that a test starts get the same text, see in-child.mjs.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeEach, expect } from 'vitest'
import { FUNCTIONS, LAST_TESTS, MODE, REACHED, ROOT, relative, SERVED } from './places.ts'
import { storeFunctions } from './stored.ts'

type Reached = Record<string, number[]>
export type RecordedTest = { name: string; ms: number; reached: Reached }
/** `outside`: reached while no test ran, at loading or in a hook: every test of the file may feel it. */
export type Recorded = { tests: RecordedTest[]; outside: Reached; loaded: string[] }

const testFile = relative(expect.getState().testPath ?? '')
const child = pathToFileURL(path.join(ROOT, 'mutation/run/in-child.mjs')).href
process.env.NODE_OPTIONS = `${(process.env.NODE_OPTIONS ?? '').replace(/ ?--import=\S*in-child\.mjs/, '')} --import=${child}`

if (process.env[MODE] === 'record') {
  record()
} else {
  await storeFunctions(path.join(process.env[SERVED] ?? '', FUNCTIONS))
  skipTheRest()
}

function record(): void {
  const arrays = new Map<string, Uint8Array>()
  const loaded = new Set<string>()
  const shared = globalThis as typeof globalThis & { __reached?: (file: string, size: number) => Uint8Array }
  shared.__reached = (file, size) => {
    loaded.add(file)
    const array = arrays.get(file) ?? new Uint8Array(size)
    arrays.set(file, array)
    return array
  }
  const take = (): Reached => {
    const taken: Reached = {}
    for (const [file, array] of arrays) {
      const marks = [...array.entries()].flatMap(([mark, isSet]) => (isSet ? [mark] : []))
      if (marks.length > 0) taken[file] = marks
      array.fill(0)
    }
    return taken
  }
  mkdirSync(REACHED, { recursive: true })
  const children = mkdtempSync(path.join(REACHED, 'children-'))
  process.env.ACOPAY_MUTATION_CHILDREN = children
  const found: Recorded = { tests: [], outside: {}, loaded: [] }
  let startedMs = 0
  beforeEach(() => {
    merge(found.outside, take())
    startedMs = performance.now()
  })
  afterEach(({ task }) => {
    found.tests.push({ name: nameOf(task), ms: Math.round(performance.now() - startedMs), reached: take() })
  })
  afterAll(() => {
    merge(found.outside, take())
    merge(found.outside, readChildren(children))
    found.loaded = [...new Set([...loaded, ...Object.keys(found.outside)])].sort()
    writeFileSync(recordedAt(testFile), JSON.stringify(found))
    rmSync(children, { recursive: true, force: true })
  })
}

function recordedAt(file: string): string {
  return path.join(REACHED, `${file.replaceAll('/', '~')}.new`)
}

type Named = { name: string; suite?: Named | undefined }
const nameOf = (task: Named): string => (task.suite?.name ? `${nameOf(task.suite)} > ${task.name}` : task.name)

function merge(into: Reached, more: Reached): void {
  for (const [file, marks] of Object.entries(more)) {
    into[file] = [...new Set([...(into[file] ?? []), ...marks])].sort((one, other) => one - other)
  }
}

/** Each child writes lines of `mark file`. */
function readChildren(folder: string): Reached {
  const reached: Reached = {}
  for (const name of readdirSync(folder)) {
    for (const line of readFileSync(path.join(folder, name), 'utf8').split('\n')) {
      const [, mark, file] = /^(\d+) (.+)$/.exec(line) ?? []
      if (mark !== undefined && file !== undefined) merge(reached, { [file]: [Number(mark)] })
    }
  }
  return reached
}

/** Tests of one file build on each other, so those before the last one that can feel the mutant are run as well. */
function skipTheRest(): void {
  const last = JSON.parse(readFileSync(path.join(process.env[SERVED] ?? '', LAST_TESTS), 'utf8'))[testFile]
  if (last === undefined) return
  let started = 0
  beforeEach((context) => {
    if (started > last) context.skip()
    started += 1
  })
}
