/**
 * A `.env` file: one `NAME=value` a line. What Node, a shell, systemd and Docker Compose read differently is refused with its line, so
 * that a file means the same to all of them.
 */

export type EnvLine = { name: string; value: string; line: number }

const NAME = /^([A-Za-z_]\w*)=(.*)$/
/** Single quotes take every character as it is. In double quotes, or without quotes, a character that some reader would expand is refused. */
const SINGLE = /^'([^']*)'$/
const DOUBLE = /^"([^"\\$`]*)"$/
const BARE = /^(?:[^\s'"\\$`#](?:[^'"\\$`#]*[^\s'"\\$`#])?)?$/

/** `problems` name the line and never repeat a value. */
export function readEnvText(text: string): { lines: EnvLine[]; problems: { line: number; problem: string }[] } {
  const lines = new Map<string, EnvLine>()
  const problems: { line: number; problem: string }[] = []
  for (const [index, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1
    const trimmed = raw.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const [, name, given = ''] = NAME.exec(trimmed) ?? []
    const value = unquoted(given)
    const before = name === undefined ? undefined : lines.get(name)
    if (name === undefined)
      problems.push({ line, problem: '应为 名称=值，等号两边没有空格 (should be NAME=value, without spaces around =)' })
    else if (value === null) problems.push({ line, problem: `${name} ${QUOTES}` })
    else if (before !== undefined)
      problems.push({ line, problem: `${name} 已在第 ${before.line} 行 (is there already, in line ${before.line})` })
    else lines.set(name, { name, value, line })
  }
  return { lines: [...lines.values()], problems }
}

const QUOTES =
  '的值含 # $ \\ ` 或引号，请用单引号括起来，写在一行内 (its value has # $ \\ ` or a quote: put it into single quotes, in one line)'

const unquoted = (given: string): string | null =>
  [SINGLE, DOUBLE].map((form) => form.exec(given)?.[1]).find((value) => value !== undefined) ??
  (BARE.test(given) ? given : null)
