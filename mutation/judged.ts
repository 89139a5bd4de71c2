/** `judged.json`: survivors that someone looked at, each with one sentence, in both languages, that says why it may survive. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { plant } from './plant/plant.ts'
import { ROOT } from './run/places.ts'

export type Both = { en: string; zh: string }
export type Judged = Map<string, Both>

export const readJudged = (): Judged =>
  new Map(Object.entries(JSON.parse(readFileSync(path.join(import.meta.dirname, 'judged.json'), 'utf8')) as object))

/** Judgments of mutants that no file bears any more, or that say nothing. */
export function staleJudgments(judged: Judged): string[] {
  const files = new Set([...judged.keys()].map((id) => id.split(':')[0] ?? ''))
  const ids = new Set([...files].flatMap((file) => plant(file, textOf(file)).map(({ id }) => id)))
  return [...judged].flatMap(([id, { en, zh }]) => {
    if (!ids.has(id)) return [`${id} is judged, but there is no such mutant any more`]
    return en.trim().length < 15 || zh.trim().length < 5 ? [`${id} is judged without a sentence in both languages`] : []
  })
}

function textOf(file: string): string {
  try {
    return readFileSync(path.join(ROOT, file), 'utf8')
  } catch {
    return ''
  }
}
