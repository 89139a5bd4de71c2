/** What the pages lead to and tell a reader to run is there. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { COMMANDS } from '../../apps/cli/src/run.ts'
import twins from '../../docs/twins.json' with { type: 'json' }
import { commandsIn } from './commands.ts'
import { englishOf, parsePage, readPages, targetOf, withLinks } from './pages.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
const pages = readPages()
const lacking: string[] = twins.lacking
const parsed = new Map([...pages].map(([page, text]) => [page, parsePage(text)]))

function isBroken(page: string, link: string): boolean {
  const target = targetOf(page, link)
  if (target === null) return false
  // A Chinese page that is still to be written may be linked to already.
  if (!pages.has(target.file) && lacking.includes(englishOf(target.file))) return false
  if (target.file.startsWith('..') || !existsSync(path.join(ROOT, target.file))) return true
  if (target.anchor === null) return false
  return !(parsed.get(target.file)?.headings ?? []).some(({ anchor }) => anchor === target.anchor)
}

it.each([...pages.keys()])('every link of %s leads to a file or a heading that is there', (page) => {
  expect(parsed.get(page)?.links.filter((link) => isBroken(page, link))).toEqual([])
})

it('headings of the same words are told apart as GitHub does', () => {
  const { headings } = parsePage('# A `b` c\n## A b, c!\n```sh\n# no heading\n```\n## 关单 (close)\n')
  expect(headings).toEqual([
    { level: 1, anchor: 'a-b-c' },
    { level: 2, anchor: 'a-b-c-1' },
    { level: 2, anchor: '关单-close' },
  ])
})

it('links are changed in words only, not in code', () => {
  const text = '[a](x.md) `[a](x.md)` [`b`](x.md#y)\n```\n[a](x.md)\n```\n[c](z.ts)\n'
  const changed = withLinks(text, (target) => (target.endsWith('.ts') ? null : `/${target}`))
  expect(changed).toBe('[a](/x.md) `[a](x.md)` [`b`](/x.md#y)\n```\n[a](x.md)\n```\nc\n')
})

const scriptsOf = (manifest: string): string[] =>
  Object.keys(JSON.parse(readFileSync(path.join(ROOT, manifest), 'utf8')).scripts ?? {})

const npmScripts = new Set([...scriptsOf('package.json'), ...scriptsOf('packages/sdk/package.json')])

/** A command, or what several commands begin with. */
const isKnown = ([first = '', second = '']: string[]): boolean =>
  ['help', 'completion'].includes(first) ||
  Object.hasOwn(COMMANDS, first) ||
  Object.keys(COMMANDS).some((name) => name === `${first} ${second}` || (second === '' && name.startsWith(`${first} `)))

/** A decision also names what was not built. */
const instructing = [...pages.keys()].filter((page) => !page.startsWith('docs/decisions/'))

it.each(instructing)('every command of %s is there', (page) => {
  const { npm, acopay, files } = commandsIn(pages.get(page) ?? '')
  expect(npm.filter((name) => !npmScripts.has(name))).toEqual([])
  expect(acopay.filter((words) => !isKnown(words))).toEqual([])
  expect(files.filter((file) => !existsSync(path.join(ROOT, file)))).toEqual([])
})

it('commands are found in blocks and in words', () => {
  const text = `\`npm run -s acopay -- order place --amount 1\` or \`acopay bill --date D\`, \`npm test\`, \`acopay COMMAND\`
\`\`\`sh
npm run races -- --seed 1   # npm run nothing
FOO=1 npm start && node scripts/start.cjs
npx acopay refund query --refund-no R
psql -U acopay acopay
\`\`\`
\`\`\`json
"npm run no"
\`\`\`
`
  expect(commandsIn(text)).toEqual({
    npm: ['acopay', 'test', 'races', 'start'],
    acopay: [['order', 'place'], ['bill'], ['refund', 'query']],
    files: ['scripts/start.cjs'],
  })
})
