/** The table of lines worth an alert (docs/operating.md) and the code that writes them say the same. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../../../', import.meta.url)
const read = (file: string): string => readFileSync(new URL(file, root), 'utf8')

/** The texts of lines with `alarm: true`. Where the text has a name, the name's text. */
function alarmTexts(): string[] {
  const names = readdirSync(new URL('apps/server/src', root), { recursive: true, encoding: 'utf8' })
  const files = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  return files.flatMap((file) => {
    const source = read(`apps/server/src/${file}`)
    const said = [...source.matchAll(/alarm: (?:true|!)[^}]*\}(?:, ('[^']+'|[A-Z_]+)\))?/g)]
    return said.flatMap(([, text]) => {
      if (text === undefined) return source.match(/log\.error\(line, '([^']+)'/)?.[1] ?? []
      return text.startsWith("'") ? text.slice(1, -1) : (new RegExp(`${text} =\\s+'([^']+)'`).exec(source)?.[1] ?? [])
    })
  })
}

it('each line with an alarm is in the table, in both languages', () => {
  const texts = alarmTexts()
  expect(texts.length).toBeGreaterThan(10)
  for (const page of ['docs/operating.md', 'docs/operating.zh-CN.md']) {
    const table = read(page)
      .split('\n')
      .filter((line) => line.startsWith('| `"alarm":true`'))
      .join('\n')
    expect(texts.filter((text) => !table.includes(text))).toEqual([])
  }
})
