/** Every page says the same in English and in Chinese, as far as that can be told without reading. */
import { describe, expect, it } from 'vitest'
import declared from '../../docs/twins.json' with { type: 'json' }
import { readPages } from './pages.ts'
import { declaredAnew, pairProblems, repaired, type Twins, twinProblems } from './twins.ts'

it('every page has its Chinese twin, and both were declared to say the same as they are now', () => {
  expect(twinProblems(readPages(), declared)).toEqual([])
})

const EN = `# Title

[中文](a.zh-CN.md)

Run \`npm start\`, see [below](#end) and [b](b.md#two).

| a | b |
|---|---|
| 1 | 2 |

- one
- two

\`\`\`sh
npm start -- --seed 1   # takes a while
\`\`\`

## End
`
const ZH = `# 标题

[English](a.md)

运行 \`npm start\`，见[下文](#结束)与 [b](b.zh-CN.md#二)。

| 甲 | 乙 |
|---|---|
| 1 | 2 |

- 一
- 二

\`\`\`sh
npm start -- --seed 1   # 需要一会儿
\`\`\`

## 结束
`

const REPAIRS = 'a link leads to the other language, or none to the twin (npm run docs:twins repairs it)'

const PAGES: Record<string, string> = {
  'docs/a.md': EN,
  'docs/a.zh-CN.md': ZH,
  'docs/b.md': '# One\n\n[中文](b.zh-CN.md)\n\n## Two\n',
  'docs/b.zh-CN.md': '# 一\n\n[English](b.md)\n\n## 二\n',
}

const pagesWith = (changes: Record<string, string | null>): Map<string, string> =>
  new Map(
    Object.entries({ ...PAGES, ...changes }).flatMap(([page, text]) => (text === null ? [] : [[page, text] as const])),
  )

const AGREED: Twins = declaredAnew(pagesWith({}), { lacking: [], pairs: {} })

describe('a pair', () => {
  it('that says the same has no problem', () => {
    expect(twinProblems(pagesWith({}), AGREED)).toEqual([])
  })

  it.each([
    ['docs/a.md', { 'docs/a.md': `${EN}More.\n` }],
    ['docs/a.zh-CN.md', { 'docs/a.zh-CN.md': `${ZH}还有。\n` }],
    ['docs/a.md and docs/a.zh-CN.md', { 'docs/a.md': `${EN}More.\n`, 'docs/a.zh-CN.md': `${ZH}还有。\n` }],
  ])('of which %s was changed is red until it is declared again', (what, changes) => {
    const pages = pagesWith(changes)
    expect(twinProblems(pages, AGREED)).toEqual([
      `changed: ${what}. Let both languages say the same, then npm run docs:twins`,
    ])
    expect(twinProblems(pages, declaredAnew(pages, AGREED))).toEqual([])
  })

  it('that is new is read once', () => {
    const { 'docs/b.md': _new, ...pairs } = AGREED.pairs
    expect(twinProblems(pagesWith({}), { ...AGREED, pairs })).toEqual([
      'docs/b.md and its twin are new: read one beside the other, then npm run docs:twins',
    ])
  })

  it('may change in the parts that the code writes', () => {
    const made = (text: string): string => `${text}\n<!-- code: errors close -->\n\n| 1 | 2 |\n\n<!-- /code -->\n`
    const before = pagesWith({ 'docs/a.md': made(EN), 'docs/a.zh-CN.md': made(ZH) })
    const row = (text: string): string => made(text).replace('| 1 | 2 |\n\n<!-- /', '| 3 | 4 |\n\n<!-- /')
    const after = pagesWith({ 'docs/a.md': row(EN), 'docs/a.zh-CN.md': row(ZH) })
    expect(twinProblems(after, declaredAnew(before, AGREED))).toEqual([])
  })
})

describe('a page and its twin differ when', () => {
  it.each<[string, string, string[]]>([
    [
      'a heading is missing',
      ZH.replace('## 结束', ''),
      [
        'in the heading 2: "##" and none',
        'lacks the link to docs/a.md, heading 2',
        'lacks the link to docs/a.md, heading 0',
      ],
    ],
    ['a heading has another level', ZH.replace('## 结束', '### 结束'), ['in the heading 2: "##" and "###"']],
    ['a command is another one', ZH.replace('--seed 1', '--seed 2'), ['in the code block 1:']],
    ['a block is missing', ZH.replace(/```sh[\s\S]*```/, ''), ['in the code block 1:']],
    ['a row is missing', ZH.replace('| 1 | 2 |\n', ''), ['in the rows of tables: 3 and 2']],
    [
      'a name in code is another one',
      ZH.replace('运行 `npm start`', '运行 `npm test`'),
      ['the code npm start', 'the code npm test'],
    ],
    ['a link is missing', ZH.replace(/与.*。/, '。'), ['docs/a.zh-CN.md lacks the link to docs/b.md, heading 2']],
    ['a link leads to another heading', ZH.replace('#二', '#一'), ['b.md, heading 2', 'b.md, heading 1']],
    ['a link leaves the language', ZH.replace('b.zh-CN.md#二', 'b.md#two'), [`docs/a.zh-CN.md: ${REPAIRS}`]],
    [
      'the twin is not linked',
      ZH.replace('[English](a.md)', ''),
      ['the link to docs/a.md', `docs/a.zh-CN.md: ${REPAIRS}`],
    ],
  ])('%s', (_what, text, says) => {
    const problems = pairProblems('docs/a.md', pagesWith({ 'docs/a.zh-CN.md': text }))
    expect(problems).toEqual(says.map((part) => expect.stringContaining(part)))
  })
})

it('links are repaired: into the language of their page, to the same heading', () => {
  const text = ZH.replace('[English](a.md)\n\n', '').replace('b.zh-CN.md#二', 'b.md#two')
  expect(repaired('docs/a.zh-CN.md', pagesWith({ 'docs/a.zh-CN.md': text }))).toBe(ZH)
  expect(repaired('docs/a.md', pagesWith({ 'docs/a.md': EN.replace('b.md#two', 'b.zh-CN.md#二') }))).toBe(EN)
})

describe('a page without its twin', () => {
  const alone = pagesWith({ 'docs/b.zh-CN.md': null, 'docs/a.zh-CN.md': ZH.replace('b.zh-CN.md#二', 'b.md#two') })

  it('is named, with the file to write', () => {
    expect(twinProblems(alone, declaredAnew(alone, AGREED))).toEqual([
      'docs/b.md has no Chinese twin: write docs/b.zh-CN.md',
    ])
  })

  it('may lack it while it is on the list, which never gets longer', () => {
    const twins = declaredAnew(alone, { ...AGREED, lacking: ['docs/b.md'] })
    expect(twinProblems(alone, twins)).toEqual([])
    expect(declaredAnew(alone, AGREED).lacking).toEqual([])
  })

  it('goes off the list when it has its twin', () => {
    const twins = { ...AGREED, lacking: ['docs/b.md'] }
    expect(twinProblems(pagesWith({}), twins)).toEqual([
      'docs/b.md lacks no twin: take it off the list in docs/twins.json (npm run docs:twins)',
    ])
    expect(declaredAnew(pagesWith({}), twins).lacking).toEqual([])
  })
})

it('a pair or a twin whose page is gone is named', () => {
  expect(twinProblems(pagesWith({ 'docs/b.md': null }), AGREED)).toEqual([
    'docs/b.zh-CN.md: there is no docs/b.md',
    'docs/twins.json has the pair of docs/b.md, which is gone (npm run docs:twins)',
    expect.stringContaining('heading'),
    expect.stringContaining('heading'),
  ])
})
