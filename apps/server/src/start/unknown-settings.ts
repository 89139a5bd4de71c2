/** A misspelt setting would silently stay at its default: it is named at the start, with the setting that may be meant. */
import { readConfig } from './config.ts'

type Env = Record<string, string | undefined>

/** Variables of this name that are not the gateway's: the command line's, and those of the tests. */
const OF_OTHERS =
  /^ACOPAY_(?:CONFIG|BASE_URL|MCH_NO|APP_NO|MCH_PRIVATE_KEY|MCH_PRIVATE_KEY_FILE|PLATFORM_PUBLIC_KEY)$|^ACOPAY_(?:TEST|MUTATION|MUTANTS|CLOCK)_?/

/** One line for each. The environment must be one that `readConfig` accepts. */
export function unknownSettings(env: Env): string[] {
  const known = namesReadFrom(env)
  return Object.keys(env)
    .filter((name) => name.startsWith('ACOPAY_') && !known.includes(name) && !OF_OTHERS.test(name))
    .sort()
    .map((name) => {
      const [nearest = ''] = known.toSorted((one, other) => distance(name, one) - distance(name, other))
      return `未知的设置 unknown setting: ${name}，不起作用，是否应为 (it does nothing; did you mean) ${nearest}?`
    })
}

/** What `readConfig` asks the environment for: so no list of names can be out of date. */
function namesReadFrom(env: Env): string[] {
  const names = new Set<string>()
  const asked = new Proxy(env, {
    get: (target, name) => {
      names.add(String(name))
      return target[String(name)]
    },
  })
  readConfig(asked, '')
  return [...names]
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
