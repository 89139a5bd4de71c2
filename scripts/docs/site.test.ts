/** How the docs site is laid out, searched and checked. That it is built and works in a browser: test/docs-site.test.ts. */
import { describe, expect, it } from 'vitest'
import { tokenize } from '../../apps/docs/.vitepress/tokenize.ts'
import { brokenLinks } from './built-links.ts'
import { readPages } from './pages.ts'
import { placeOf, sitePages } from './site-pages.ts'

describe('the words that are searched', () => {
  it('are each two neighbouring characters in Chinese, so that a word inside a sentence is found', () => {
    expect(tokenize('关单成功')).toEqual(['关单', '单成', '成功'])
    expect(tokenize('款')).toEqual(['款'])
  })

  it('are words elsewhere, also where both stand side by side', () => {
    expect(tokenize('用`transaction_no`查单，HTTP 200。')).toEqual(['用', 'transaction', 'no', '查单', 'HTTP', '200'])
  })

  it('are found by a function that stands alone: it is sent to the browser as a text', () => {
    const alone = new Function(`return ${tokenize.toString()}`)() as typeof tokenize
    expect(alone('关单 a')).toEqual(['关单', 'a'])
  })
})

describe('the layout', () => {
  it.each([
    ['docs/README.zh-CN.md', 'index.md'],
    ['docs/README.md', 'en/index.md'],
    ['docs/wire/calls.zh-CN.md', 'wire/calls.md'],
    ['docs/wire/calls.md', 'en/wire/calls.md'],
    ['CONTRIBUTING.md', 'en/project/CONTRIBUTING.md'],
    ['packages/sdk/README.md', 'en/project/packages/sdk/index.md'],
  ])('puts %s at %s', (page, place) => {
    expect(placeOf(page)).toBe(place)
  })

  const pages = new Map([
    ['docs/README.md', '# Docs\n\n## One\n\n[a](a.md) [c](c.json) ![p](p/d.png) [code](../x.ts)\n'],
    ['docs/README.zh-CN.md', '# 文档\n\n## 一\n\n[a](a.md#b)\n'],
    ['docs/a.md', '# A `a`\n\n## B\n'],
    ['docs/decisions/0001-x.md', '# X\n'],
  ])
  const site = sitePages(pages)

  it('leads links to where the pages are, to files for readers, and nowhere else', () => {
    expect(site.pages.get('en/index.md')).toBe('# Docs\n\n## One\n\n[a](/en/a.md) [c](/c.json) ![p](/p/d.png) code\n')
    expect(site.pages.get('index.md')).toContain('[a](/en/a.md#b)')
    expect(Object.fromEntries(site.files)).toEqual({ 'c.json': 'docs/c.json', 'p/d.png': 'docs/p/d.png' })
  })

  it('has a page in Chinese that says so where there is only an English one', () => {
    expect(site.pages.get('a.md')).toBe('# A a\n\n本页只有英文：[A a](/en/a.md)\n')
  })

  it('has a list of the pages by role, and the decisions', () => {
    expect(site.sidebars.zh).toEqual([
      { text: '一', items: [{ text: 'A a', link: '/en/a.md' }] },
      { text: '决定', collapsed: true, items: [{ text: 'X', link: '/en/decisions/0001-x.md' }] },
    ])
  })

  it('has every page of docs/ in both languages', () => {
    const { pages: placed } = sitePages(readPages())
    const english = [...placed.keys()].filter((place) => place.startsWith('en/'))
    expect(english.filter((place) => !placed.has(place.slice('en/'.length)))).toEqual([])
  })
})

it('a built page that leads to no page, or to no heading, is named', () => {
  const a =
    '<h2 id="关单">x</h2><a href="/docs/en/b.html#two"></a><a href="#%E5%85%B3%E5%8D%95"></a><a href="https://x.y/z.html"></a>'
  const b = '<h2 id="two"></h2><a href="../a.html#none"></a><a href="/docs/c.html"></a><a href="/docs/c.json"></a>'
  const problems = brokenLinks(new Map(Object.entries({ 'a.html': a, 'en/b.html': b })))
  expect(problems).toEqual([
    'en/b.html: ../a.html#none leads to no heading',
    'en/b.html: /docs/c.html leads to no page',
  ])
})
