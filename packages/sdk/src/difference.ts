/** How two texts differ that should be the same: the first character, and field by field. */

/** `at` is counted in UTF-16 units from 0; `expected` and `actual` show some text around it. */
export type Difference = { at: number; expected: string; actual: string }

/** One field, `data.code` say, with its value as JSON; null on the side that lacks it. */
export type FieldDifference = { name: string; expected: string | null; actual: string | null }

/** Null when there is none. */
export function differenceOf(expected: string, actual: string): Difference | null {
  if (expected === actual) return null
  let at = 0
  while (expected[at] === actual[at]) at += 1
  const around = (text: string): string => text.slice(Math.max(0, at - 10), at + 20)
  return { at, expected: around(expected), actual: around(actual) }
}

/** Empty where the fields are the same, so that only the writing differs, and where a text is no JSON object. */
export function fieldDifferences(expected: string, actual: string): FieldDifference[] {
  const [ours, theirs] = [fieldsOf(expected), fieldsOf(actual)]
  if (ours === null || theirs === null) return []
  return [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((name) => ({ name, expected: ours.get(name) ?? null, actual: theirs.get(name) ?? null }))
    .filter((field) => field.expected !== field.actual)
}

/** Null for what is no JSON object. The members of an answer's `data` are fields of their own. */
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
