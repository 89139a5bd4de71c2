/** Every mistake that can be planted in one file, each with an id that edits elsewhere do not change. */
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import type { Edit, Mutant } from '../mutant.ts'
import { ROOT } from '../run/places.ts'
import { plantFunctions } from './functions.ts'
import { OPERATORS } from './operators.ts'
import { PAYMENTS } from './payments.ts'
import { plantSql } from './sql.ts'
import { STATEMENTS } from './statements.ts'
import { namesAround, parse, visit } from './syntax.ts'

const PLANTERS = [...OPERATORS, ...STATEMENTS, ...PAYMENTS, plantSql]

/** `file` is the path below the repository, `text` its whole text. In the order of their places. */
export function plant(file: string, text: string): Mutant[] {
  if (file.endsWith('.sql')) return withIds(file, text, plantFunctions(text, migrationsAfter(file)))
  const source = parse(file, text)
  const found: (Edit & { within: string })[] = []
  visit(source, (node) => {
    for (const planter of PLANTERS) {
      for (const one of planter(node, source)) found.push({ ...one, within: namesAround(node) })
    }
  })
  const differing = found.filter(({ start, end, replacement }) => text.slice(start, end) !== replacement)
  return withIds(file, text, differing)
}

/**
 * The id hashes the kind, the text that was replaced and what replaces it, within its function. Where one function has several
 * that are the same in all of these, they are numbered.
 */
function withIds(file: string, text: string, found: (Edit & { within: string })[]): Mutant[] {
  const seen = new Map<string, number>()
  const places = new Set<string>()
  return found
    .sort((one, other) => one.start - other.start || one.end - other.end)
    .flatMap((one) => {
      const place = `${one.start} ${one.end} ${one.replacement}`
      if (places.has(place)) return []
      places.add(place)
      const parts = [one.within, one.kind, text.slice(one.start, one.end), one.says, one.replacement]
      const same = parts.map((part) => part.replace(/\s+/g, ' ')).join('\n')
      const ordinal = seen.get(same) ?? 0
      seen.set(same, ordinal + 1)
      const hash = createHash('sha256').update(`${same}\n${ordinal}`).digest('hex').slice(0, 8)
      const line = text.slice(0, one.start).split('\n').length
      return [{ ...one, file, id: `${file}:${one.within}:${hash}`, line }]
    })
}

function migrationsAfter(file: string): string[] {
  const folder = path.join(ROOT, path.dirname(file))
  const later = fs.readdirSync(folder).filter((name) => name.endsWith('.sql') && name > path.basename(file))
  return later.map((name) => fs.readFileSync(path.join(folder, name), 'utf8'))
}
