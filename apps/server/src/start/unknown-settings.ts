/** A misspelt setting would silently stay at its default: it is named at the start, with the setting that may be meant. */
import { lineInEnvFile } from './environment.ts'
import { GONE, OTHER_VARIABLES } from './other-variables.ts'
import type { Env } from './setting-sources.ts'
import { fileVariable, isSecret, SETTING_NAMES } from './settings.ts'

/** Variables of this name are those of the tests. */
const OF_TESTS = /^ACOPAY_(?:TEST|MUTATION|MUTANTS|CLOCK)_?/

const KNOWN = [
  ...SETTING_NAMES.flatMap((name) => (isSecret(name) ? [name, fileVariable(name)] : [name])),
  ...Object.keys(OTHER_VARIABLES),
]

/** One line for each. */
export const unknownSettings = (env: Env): string[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('ACOPAY_') && !KNOWN.includes(name) && !OF_TESTS.test(name))
    .sort()
    .map((name) => {
      const line = lineInEnvFile(env, name)
      return `${problemOf(name)}${line === null ? '' : ` (${line})`}`
    })

function problemOf(name: string): string {
  const gone = Object.hasOwn(GONE, name) ? GONE[name] : undefined
  if (gone !== undefined) return `已取消的设置 setting of an earlier version: ${name}，${gone.zh} (${gone.en})`
  const [nearest = ''] = KNOWN.toSorted((one, other) => distance(name, one) - distance(name, other))
  return `未知的设置 unknown setting: ${name}，不起作用，是否应为 (it does nothing; did you mean) ${nearest}?`
}

/** How many letters must be changed, added or left out to make one of the other (Levenshtein). */
export function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (const [index, letter] of [...one].entries()) {
    const next = [index + 1]
    for (let column = 1; column <= other.length; column += 1) {
      const changed = (row[column - 1] ?? 0) + (letter === other[column - 1] ? 0 : 1)
      next.push(Math.min(changed, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
