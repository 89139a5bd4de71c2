/** Chooses mutants: all of some folders, a sample by a seed, or those on lines that a change touches. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Mutant } from './mutant.ts'
import { plant } from './plant/plant.ts'
import { isMigration, isPlantable, ROOT } from './run/places.ts'

const git = (...args: string[]): string => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' })

const hasMistakes = (file: string): boolean => isPlantable(file) || isMigration(file)

/** Every mutant below these folders, or in these files. */
export function mutantsIn(folders: readonly string[]): Mutant[] {
  const files = git('ls-files', '-co', '--exclude-standard', '--', ...folders)
    .trim()
    .split('\n')
    .filter(hasMistakes)
  return [...new Set(files)].sort().flatMap((file) => plant(file, readFileSync(path.join(ROOT, file), 'utf8')))
}

/** In the order that the seed decides; the same seed and the same sources always give the same order. */
export function shuffled<One>(all: readonly One[], seed: number): One[] {
  const random = dice(seed)
  const left = [...all]
  for (let at = left.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1))
    ;[left[at], left[other]] = [left[other] as One, left[at] as One]
  }
  return left
}

/** mulberry32: small, and good enough to draw a sample. */
function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The mutants on lines that differ from `ref`, in files that git does not know yet on every line. */
export function mutantsOfChange(ref: string): Mutant[] {
  const base = git('merge-base', ref, 'HEAD').trim()
  const changed = changedLines(git('diff', '--unified=0', '--no-color', '--no-ext-diff', base))
  const untracked = git('ls-files', '-o', '--exclude-standard').trim().split('\n').filter(hasMistakes)
  const touched = mutantsIn([...changed.keys()].filter(hasMistakes).concat('no-such-file')).filter((mutant) => {
    const last =
      mutant.line +
      readFileSync(path.join(ROOT, mutant.file), 'utf8').slice(mutant.start, mutant.end).split('\n').length -
      1
    return changed.get(mutant.file)?.some(([from, to]) => from <= last && mutant.line <= to)
  })
  return [...touched, ...(untracked.length > 0 ? mutantsIn(untracked) : [])]
}

/** From a diff without context: the new file's lines, [first, last], by file. */
export function changedLines(diff: string): Map<string, [number, number][]> {
  const found = new Map<string, [number, number][]>()
  let file = ''
  for (const line of diff.split('\n')) {
    file = /^\+\+\+ b\/(.*)$/.exec(line)?.[1] ?? file
    const [, from, count = '1'] = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line) ?? []
    if (from === undefined || count === '0') continue
    found.set(file, [...(found.get(file) ?? []), [Number(from), Number(from) + Number(count) - 1]])
  }
  return found
}
