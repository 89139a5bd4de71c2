/** A page `X.md` and its Chinese twin `X.zh-CN.md` say the same as far as a program can see, and every link leads somewhere. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const ROOT = path.resolve(import.meta.dirname, '..')
const CHINESE = '.zh-CN.md'
const isChinese = (page: string): boolean => page.endsWith(CHINESE)
const twinOf = (page: string): string =>
  isChinese(page) ? page.replace(CHINESE, '.md') : page.replace(/\.md$/, CHINESE)

const pagesIn = (folder: string, recursive: boolean): string[] =>
  readdirSync(path.join(ROOT, folder), { recursive, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => path.posix.join(folder, name.replaceAll(path.sep, '/')))

const pages = [
  ...pagesIn('.', false),
  ...pagesIn('docs', true),
  ...pagesIn('examples', true).filter((name) => !name.includes('node_modules')),
  ...['bench', 'packages/channels', 'packages/create-acopay', 'packages/sdk'].flatMap((folder) => pagesIn(folder, false)),
]
const read = (page: string): string => readFileSync(path.join(ROOT, page), 'utf8')
const isThere = (file: string): boolean => existsSync(path.join(ROOT, file))

/** Their Chinese pages are being written: they may be missing, and are not compared. To be removed when all are there. */
const ON_THE_WAY = /^(?:docs\/(?:cli|sandbox|errors|decisions\/.*)|packages\/sdk\/README)\.md$/
const isOnTheWay = (page: string): boolean => ON_THE_WAY.test(isChinese(page) ? twinOf(page) : page)
/** English only: a list of changes, and lists of results by the names of tests and mistakes. */
const ENGLISH_ONLY = /^(?:CHANGELOG|docs\/proof\/(?:mutants|simulator-mutants))\.md$/

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm
/** Without the code blocks, whose lines are no headings, lists and links. */
const prose = (page: string): string => read(page).replace(FENCE, '```')

/** Code is the same byte by byte; comments in it may be translated, and so may (the words) in place of a value. */
const code = (page: string): string[] =>
  [...read(page).matchAll(FENCE)].map(
    ([, language, text]) => `${language}\n${text?.replace(/ *(?:#|\/\/|--) .*$|\(the [^()]*\)|（.*?）/gm, '')}`,
  )

const all = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, found = '']) => found)

/** What the eye sees of a page from afar: headings, list items, rows with their number of cells. */
const skeleton = (page: string): string[] =>
  all(prose(page), /^(#+ |\s*- |\d+\. |\*\*\d|```|\|.*\|$|<!-- code: .*$)/gm).map((begin) =>
    begin.startsWith('|') ? `row of ${begin.replaceAll('\\|', '').split('|').length - 2}` : begin,
  )

const inlineCode = (page: string): string[] => [...new Set(all(prose(page), /`([^`\n]+)`/g))].sort()

/** The target of each link without its anchor and its language. */
const links = (page: string): string[] =>
  all(prose(page), /\]\(([^)]+)\)/g)
    .map((link) => link.replace(/#.*$/, '').replace(CHINESE, '.md'))
    .sort()

/** As GitHub makes the name of a heading. */
const anchors = (page: string): string[] =>
  all(prose(page), /^#+ (.*)$/gm).map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )

it.each(pages)('every link of %s leads somewhere', (page) => {
  const broken = [...prose(page).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)].filter(
    ([, file = '', anchor]) => {
      const target = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
      if (isOnTheWay(target)) return !isThere(target) && !isThere(twinOf(target))
      return !isThere(target) || (anchor !== undefined && !anchors(target).includes(anchor))
    },
  )
  expect(broken.map(([link]) => link)).toEqual([])
})

it('every page has a Chinese twin', () => {
  const alone = pages.filter((page) => !isChinese(page) && !isThere(twinOf(page)))
  expect(alone.filter((page) => !isOnTheWay(page) && !ENGLISH_ONLY.test(page))).toEqual([])
})

/** The front page says less in Chinese, in another order. */
const isFrontPage = (page: string): boolean => page === 'README.md'
const pairs = pages
  .filter((page) => !isChinese(page) && isThere(twinOf(page)))
  .filter((page) => !isFrontPage(page) && !isOnTheWay(page))

describe.each(pairs)('%s and its Chinese twin', (page) => {
  const twin = twinOf(page)

  it('have the same headings, lists and tables in the same order', () => {
    expect(skeleton(twin)).toEqual(skeleton(page))
  })

  it('have the same code', () => {
    expect(code(twin)).toEqual(code(page))
    expect(inlineCode(twin)).toEqual(inlineCode(page))
  })

  it('have the same links', () => {
    expect(links(twin)).toEqual(links(page))
    expect(read(page)).toContain(`[中文](${path.posix.basename(twin)})`)
    expect(read(twin)).toContain(`[English](${path.posix.basename(page)})`)
  })
})

it.each(pages.filter(isChinese))('%s leads its reader to pages in Chinese, where there are any', (page) => {
  const english = all(prose(page), /\]\((?!https?:)([^)#]+\.md)(?:#[^)]*)?\)/g).filter((file) => {
    const target = path.posix.join(path.posix.dirname(page), file)
    return target !== twinOf(page) && !isChinese(target) && !isOnTheWay(target) && isThere(twinOf(target))
  })
  expect(english).toEqual([])
})
