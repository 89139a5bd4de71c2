/** Holds docs/runbooks against the rules of Prometheus and the sources: no alert and no alarming line without a page, and no page without one. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { ALARM_KINDS, runbookOf } from '../apps/server/src/actions/alarm/kinds.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8')

const FOLDER = 'docs/runbooks'
const PAGES = readdirSync(path.join(ROOT, FOLDER))
  .filter((name) => name.endsWith('.md') && !name.endsWith('.zh-CN.md') && name !== 'README.md')
  .map((name) => name.slice(0, -'.md'.length))
const page = (name: string): string => read(`${FOLDER}/${name}.md`)

/** What can go wrong without an alert or a line of its own: the brief of issue 23. */
const FAULTS = [
  'database-full',
  'database-read-only',
  'master-key-lost',
  'platform-key-leaked',
  'paid-after-close',
  'does-not-start',
  'alarm-channel-failing',
]

const SOURCES = ['apps/server/src', 'packages/store/src', 'packages/embedded-postgres/src'].flatMap((folder) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => read(`${folder}/${file}`)),
)

/** The text of every line that is logged with `alarm: true`, or `alarm: <a condition>`. */
const ALARMING = alarmingLines()
function alarmingLines(): string[] {
  const text = SOURCES.join('\n')
  const direct = [...text.matchAll(/alarm: [^{}\n]+\},\s*'([^']+)'/g)].map(([, line = '']) => line)
  const named = [...text.matchAll(/alarm: [^}\n]+\},\s*([A-Z_]+)\)/g)].map(
    ([, name]) => new RegExp(`const ${name} = '([^']+)'`).exec(text)?.[1] ?? `${name} is not found`,
  )
  const made = [...text.matchAll(/const line = \{[^}\n]*alarm: true \}\n\s+world\.log\.error\(line, '([^']+)'/g)]
  return [...new Set([...direct, ...named, ...made.map(([, line = '']) => line)])].sort()
}

const rules = [...read('monitoring/acopay.rules.yml').matchAll(/- alert: (\w+)[\s\S]*?runbook_url: (\S+)/g)].map(
  ([, name = '', url = '']) => ({ name, url }),
)
const kebab = (name: string): string => name.replace(/(?!^)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()

/** Of the first line below a page's title, which says what it is about. */
const aboutOf = (name: string): string => /^(?:Alert|Log lines?) .*$/m.exec(page(name))?.[0] ?? ''
const quotedIn = (text: string): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, quoted = '']) => quoted)

it('each rule names the page of its own name, which names the rule and how urgent it is', () => {
  const text = read('monitoring/acopay.rules.yml')
  expect(rules).toHaveLength(text.match(/- alert:/g)?.length ?? 0)
  for (const { name, url } of rules) {
    expect(url).toBe(`${FOLDER}/${kebab(name)}.md`)
    const severity = new RegExp(`alert: ${name}\\n[\\s\\S]*?severity: (\\w+)`).exec(text)?.[1]
    expect(aboutOf(kebab(name))).toContain(`Alert \`${name}\` (${severity})`)
  }
})

it('each alarming line of the log has a page that names it, and the page of the alert leads there', () => {
  expect(ALARMING.length).toBeGreaterThan(12)
  const rows = [...page('acopay-alarm').matchAll(/^\| `([^`]+)` \| \[([\w-]+)\]/gm)]
  expect(rows.map(([, line]) => line).sort()).toEqual(ALARMING)
  for (const [, line = '', name = ''] of rows) expect(quotedIn(aboutOf(name)), name).toContain(line)
})

it('each kind of alarm that the gateway tells itself has a page', () => {
  for (const kind of Object.keys(ALARM_KINDS))
    expect(PAGES.map((name) => `docs/runbooks/${name}.md`)).toContain(runbookOf(kind))
})

it('each page belongs to a rule, to a line, or to a fault that is known by neither', () => {
  const known = [...rules.map(({ name }) => kebab(name)), ...FAULTS]
  for (const name of PAGES.filter((one) => !known.includes(one))) {
    const lines = quotedIn(aboutOf(name))
    expect(
      lines.filter((line) => ALARMING.includes(line)),
      name,
    ).not.toEqual([])
  }
  expect([...FAULTS].filter((name) => !PAGES.includes(name))).toEqual([])
})

it('each page has the same parts, says whether it was tried, and is on the list', () => {
  const parts = ['What it means', 'Look at', 'Do', 'Do not', 'Over when']
  for (const name of PAGES) {
    const text = page(name)
    expect(
      [...text.matchAll(/^## (.+)$/gm)].map(([, part]) => part),
      name,
    ).toEqual(parts)
    expect(text.trimEnd().split('\n').at(-1), name).toMatch(
      /^\*(?:Tried \d{4}-\d\d-\d\d: .+|Not tried by following it\.)\*$/,
    )
    expect(read(`${FOLDER}/README.md`)).toContain(`[${name}](${name}.md)`)
  }
})

it('a page that says that it was tried is named by a test of the file that it names', () => {
  for (const name of PAGES) {
    const file = /\*Tried .*?`(test\/runbooks[\w-]*\.test\.ts)`/.exec(page(name))?.[1]
    if (file !== undefined) expect(read(file), name).toMatch(new RegExp(`['(, ]${name}[:,']`))
  }
})

it('every line by which a start ends, as does-not-start has it, is in the program', () => {
  const text = SOURCES.join('\n')
  const lines = [...page('does-not-start').matchAll(/^\| `([^`]+)` \|/gm)].map(([, line = '']) => line)
  expect(lines.length).toBeGreaterThan(10)
  // Parts that are put in when the line is made.
  const isIn = (line: string): boolean =>
    text.includes(line.replace('sslmode is missing', 'is missing').replace('sslrootcert is', 'is'))
  expect(lines.filter((line) => !isIn(line))).toEqual([])
})
