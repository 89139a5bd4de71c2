/** A statement's tokens, by PostgreSQL's own scanner; brackets and `case … end` are matched, `${…}` is one word. */
import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query'

await loadModule()

export type Token = { start: number; end: number; text: string; isHole: boolean; isKeyword: boolean; close: number }

/** `text` as it stands in the source, between its quotes. Null where PostgreSQL's scanner does not take it. */
export function tokensOf(text: string): Token[] | null {
  try {
    const tokens = scanSync(masked(text)).tokens.filter(({ tokenName }) => !/COMMENT/.test(tokenName))
    const read = tokens.map(({ start, end: last, keywordKind }): Token => {
      const isHole = text.startsWith('${', start)
      const end = isHole ? holeEnd(text, start) : last
      const word = text.slice(start, end)
      return { start, end, text: word.toLowerCase(), isHole, isKeyword: keywordKind > 0 && !isHole, close: -1 }
    })
    match(read)
    return read
  } catch {
    return null
  }
}

/** Whether PostgreSQL's parser takes it: 'no opinion' where not even the unchanged text, a fragment, is a statement. */
export const parses = (text: string): boolean => {
  try {
    parseSync(masked(text))
    return true
  } catch {
    return false
  }
}

/** Whether PostgreSQL stores it: the text of a `create function` in PL/pgSQL. */
export const parsesAsFunction = (text: string): boolean => {
  try {
    parsePlPgSQLSync(text)
    return true
  } catch {
    return false
  }
}

/** Every `${…}` as an identifier with a space behind it, every foreign character as a letter: offsets stay the same. */
function masked(text: string): string {
  let out = ''
  for (let at = 0; at < text.length; ) {
    const end = text.startsWith('${', at) ? holeEnd(text, at) : at
    out += end > at ? `${'h'.repeat(end - at - 1)} ` : text.charAt(at).replace(/[^\t\n\x20-\x7e]/, 'x')
    at = end > at ? end : at + 1
  }
  return out
}

function holeEnd(text: string, from: number): number {
  let depth = 0
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1
    if (text[at] === '}') depth -= 1
    if (depth === 0) return at + 1
  }
  return from
}

const OPENS: Record<string, string> = { '(': ')', '[': ']', case: 'end' }

function match(tokens: Token[]): void {
  const open: number[] = []
  tokens.forEach((token, index) => {
    if (token.text in OPENS) open.push(index)
    const last = tokens[open.at(-1) ?? -1]
    if (last === undefined || OPENS[last.text] !== token.text) return
    last.close = index
    open.pop()
  })
  if (open.length > 0) throw new Error('a bracket is not closed')
}
