/** The Markdown pages of the repository, and what stands in one: headings, code, links. For the checks of the docs and the docs site. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { anchorOf } from '../../apps/docs/.vitepress/anchor.ts'

const ROOT = path.resolve(import.meta.dirname, '../..')
/** Where pages are; only the root's own pages are taken from the root. */
const FOLDERS = ['apps', 'bench', 'docs', 'examples', 'packages']
const NOT_SOURCE = new Set(['node_modules', 'dist', 'package'])
const CHINESE = '.zh-CN.md'

/** The text of every page, by its path below the repository. */
export function readPages(): Map<string, string> {
  const own = readdirSync(ROOT).filter((name) => name.endsWith('.md'))
  const files = [...own, ...FOLDERS.flatMap(pagesBelow)].sort()
  return new Map(files.map((file) => [file, readFileSync(path.join(ROOT, file), 'utf8')]))
}

function pagesBelow(folder: string): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory()) return NOT_SOURCE.has(entry.name) || entry.name.startsWith('.') ? [] : pagesBelow(file)
    return file.endsWith('.md') ? [file] : []
  })
}

export const isChinese = (page: string): boolean => page.endsWith(CHINESE)
export const chineseOf = (page: string): string => (isChinese(page) ? page : page.replace(/\.md$/, CHINESE))
export const englishOf = (page: string): string => (isChinese(page) ? `${page.slice(0, -CHINESE.length)}.md` : page)

type Heading = { level: number; anchor: string }
type Fence = { tag: string; text: string }
export type Parsed = {
  headings: Heading[]
  fences: Fence[]
  /** As they are written. */
  links: string[]
  /** What stands between single backticks. */
  codes: string[]
  /** How many rows the tables, and how many entries the lists have together. */
  rows: number
  entries: number
}

const FENCE = /^( *)```(\w*)[^\n]*\n([\s\S]*?)^\1```[^\n]*$/gm
const CODE = /`([^`\n]+)`/g
const LINK = /\]\(([^)\s]+)\)/g

export function parsePage(text: string): Parsed {
  const prose = text.replace(FENCE, '').replace(/^<!--[\s\S]*?-->/gm, '')
  const plain = prose.replace(CODE, '')
  return {
    headings: headingsOf(prose),
    fences: [...text.matchAll(FENCE)].map(([, , tag = '', inside = '']) => ({ tag, text: inside })),
    links: [...plain.matchAll(LINK)].map(([, target = '']) => target),
    codes: [...prose.matchAll(CODE)].map(([, code = '']) => code),
    rows: prose.match(/^ *\|/gm)?.length ?? 0,
    entries: prose.match(/^ *(?:[-*]|\d+\.) /gm)?.length ?? 0,
  }
}

function headingsOf(prose: string): Heading[] {
  const seen = new Map<string, number>()
  return [...prose.matchAll(/^(#+) (.*)$/gm)].map(([, marks = '', words = '']) => {
    const anchor = anchorOf(words.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1'))
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return { level: marks.length, anchor: before === 0 ? anchor : `${anchor}-${before}` }
  })
}

/** Changes the target of each link, and nothing in code. `change` answers null where the words shall stand without a link. */
export function withLinks(text: string, change: (target: string) => string | null): string {
  return text.replace(
    /^( *)```[\s\S]*?^\1```|\[((?:`[^`\n]*`|[^\][`])*)\]\(([^)\s]+)\)|`[^`\n]+`/gm,
    (all, _in, words, target) => {
      if (target === undefined) return all
      const changed = change(target)
      return changed === null ? words : `[${words}](${changed})`
    },
  )
}

type Target = { file: string; anchor: string | null }

/** Where a link of a page leads to in the repository; null: to another host. */
export function targetOf(page: string, link: string): Target | null {
  if (/^[a-z]+:/.test(link)) return null
  const [file = '', anchor] = link.split('#')
  const whole = file === '' ? page : path.posix.join(path.posix.dirname(page), file)
  return { file: whole.replace(/\/$/, ''), anchor: anchor === undefined ? null : decodeURIComponent(anchor) }
}
