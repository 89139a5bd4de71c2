/** What a call changed, in words: each value by the name that its field has on the pages, before and after. */
import type { AuditRow } from '@acopay/protocol/console'

export type Changed = { what: string; before: string; after: string }

/** `labelOf`: what the pages call a field; null where they have no such field. `word`: a code in the user's language. */
type Words = {
  labelOf: (field: string) => string | null
  word: (code: string) => string
  on: string
  off: string
  notSet: string
}

/** An app or a key is an object, of which only what differs is told: `app APP1` and `returnUrl` are two names of one value. */
export function changesIn(changes: AuditRow['changes'], words: Words): Changed[] {
  return Object.entries(changes).flatMap(([name, { before, after }]) => {
    if (!isObject(before) && !isObject(after)) return [changed(named(name, words), before, after, words)]
    const [old, now] = [isObject(before) ? before : {}, isObject(after) ? after : {}]
    const fields = [...new Set([...Object.keys(old), ...Object.keys(now)])]
    return fields
      .filter((field) => JSON.stringify(old[field] ?? null) !== JSON.stringify(now[field] ?? null))
      .map((field) => changed(`${named(name, words)} · ${named(field, words)}`, old[field], now[field], words))
  })
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const changed = (what: string, before: unknown, after: unknown, words: Words): Changed => ({
  what,
  before: shown(before, words),
  after: shown(after, words),
})

/** `isEnabled` and `enabled` are one field; `app APP1` is a kind and a number. */
function named(name: string, { labelOf }: Words): string {
  const [kind = '', ...numbers] = name.split(' ')
  const field = kind.replace(/^is(?=[A-Z])/, '').replace(/^[A-Z]/, (letter) => letter.toLowerCase())
  return [labelOf(field) ?? kind, ...numbers].join(' ')
}

function shown(value: unknown, { word, on, off, notSet }: Words): string {
  if (value === null || value === undefined || value === '') return notSet
  if (typeof value === 'boolean') return value ? on : off
  if (Array.isArray(value)) return value.length === 0 ? notSet : value.map(String).join(', ')
  return typeof value === 'string' ? word(value) : JSON.stringify(value)
}
