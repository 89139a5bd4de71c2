/** What a run was asked for: draws of mutants, handed out one by one, each mutant once, however many draws hold it. */
import { HOT } from './hot-statements.ts'
import type { Both } from './judged.ts'
import type { Mutant } from './mutant.ts'
import type { Verdict } from './run/conduct.ts'
import { mutantsIn, mutantsOfChange, shuffled } from './sample.ts'

export type Result = { mutant: Mutant; verdict: Verdict }
/** `size`: how many that compile are taken, in this order. `refused`: those on the way that do not compile. */
export type Draw = { name: Both; mutants: Mutant[]; size: number; results: Result[]; taken: number; refused: number }

export type Wanted = {
  ids: string[]
  /** A git ref: the lines that differ from it. */
  changed: string | null
  hot: boolean
  folders: string[]
  seeds: number[]
  sample: number | null
}

const drawOf = (name: Both, mutants: Mutant[], size = mutants.length): Draw => ({
  name,
  mutants,
  size: Math.min(size, mutants.length),
  results: [],
  taken: 0,
  refused: 0,
})

export function drawsOf({ ids, changed, hot, folders, seeds, sample }: Wanted): Draw[] {
  if (ids.length > 0) {
    return [
      drawOf(
        { en: 'by id', zh: '按编号' },
        mutantsIn(ids.map((id) => id.split(':')[0] ?? '')).filter(({ id }) => ids.includes(id)),
      ),
    ]
  }
  if (changed !== null) {
    const name = { en: `lines that differ from ${changed}`, zh: `与 ${changed} 不同的行` }
    return [drawOf(name, mutantsOfChange(changed))]
  }
  const hottest = hot
    ? [drawOf({ en: 'conditions and clauses of the hottest statements', zh: '最热语句的条件与子句' }, hotMutants())]
    : []
  if (hot && sample === null) return hottest
  const all = mutantsIn(folders)
  const named = (seed: number): Both =>
    sample === null ? { en: 'all', zh: '全部' } : { en: `seed ${seed}`, zh: `种子 ${seed}` }
  return [...hottest, ...seeds.map((seed) => drawOf(named(seed), shuffled(all, seed), sample ?? all.length))]
}

const hotMutants = (): Mutant[] =>
  mutantsIn([...new Set(HOT.map(({ file }) => file))]).filter(
    ({ file, within, kind }) =>
      kind.startsWith('sql:') &&
      kind !== 'sql: column' &&
      HOT.some((one) => one.file === file && [null, within].includes(one.within)),
  )

export class Draws {
  #verdicts = new Map<string, Verdict>()
  /** Draws that wait for a verdict. */
  #waiting = new Map<string, Draw[]>()
  #compiles: (mutant: Mutant) => boolean
  readonly all: Draw[]

  constructor(all: Draw[], compiles: (mutant: Mutant) => boolean) {
    this.all = all
    this.#compiles = compiles
  }

  /** The next mutant that no worker has taken; null when every draw is full. */
  next(): Mutant | null {
    for (const draw of this.all) {
      while (draw.taken < draw.size && draw.mutants.length > 0) {
        const mutant = draw.mutants.shift() as Mutant
        if (!this.#compiles(mutant)) draw.refused += 1
        else if (this.#isNew(draw, mutant)) return mutant
      }
    }
    return null
  }

  #isNew(draw: Draw, mutant: Mutant): boolean {
    draw.taken += 1
    const verdict = this.#verdicts.get(mutant.id)
    if (verdict !== undefined) draw.results.push({ mutant, verdict })
    const waiting = this.#waiting.get(mutant.id)
    waiting?.push(draw)
    if (verdict !== undefined || waiting !== undefined) return false
    this.#waiting.set(mutant.id, [draw])
    return true
  }

  judge(mutant: Mutant, verdict: Verdict): void {
    this.#verdicts.set(mutant.id, verdict)
    for (const draw of this.#waiting.get(mutant.id) ?? []) draw.results.push({ mutant, verdict })
    this.#waiting.delete(mutant.id)
  }
}
