/** Compares two texts that should be the same: finds the first different character and the different fields. */

/** `at` counts UTF-16 units from 0; `expected` and `actual` show the text around it. */
export type Difference = { at: number; expected: string; actual: string }

/** One field, such as `data.code`, with its values as JSON; null on the side that lacks it. */
export type FieldDifference = { name: string; expected: string | null; actual: string | null }

/** Null when the texts are the same. */
export function differenceOf(expected: string, actual: string): Difference | null {
  if (expected === actual) return null
  let at = 0
  while (expected[at] === actual[at]) at += 1
  const around = (text: string): string => text.slice(Math.max(0, at - 10), at + 20)
  return { at, expected: around(expected), actual: around(actual) }
}

/** Empty when only the notation differs, and when one of the texts is not a JSON object. */
export function fieldDifferences(expected: string, actual: string): FieldDifference[] {
  const [ours, theirs] = [fieldsOf(expected), fieldsOf(actual)]
  if (ours === null || theirs === null) return []
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((name) => ({ name, expected: ours.get(name) ?? null, actual: theirs.get(name) ?? null }))
    .filter((field) => field.expected !== field.actual)
}

/** Null when the text is not a JSON object. The members of an answer's `data` count as fields of their own. */
function fieldsOf(text: string): Map<string, string> | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (!isObject(value)) return null
  return new Map(
    Object.entries(value).flatMap(([name, member]): [string, string][] =>
      name === 'data' && isObject(member)
        ? Object.entries(member).map(([inner, text]) => [`data.${inner}`, JSON.stringify(text)])
        : [[name, JSON.stringify(member)]],
    ),
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
