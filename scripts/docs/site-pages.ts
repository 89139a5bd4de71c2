/** Where each page of the repository lies on the docs site, with its links, and the list beside the pages. */
import { chineseOf, englishOf, isChinese, parsePage, targetOf, withLinks } from './pages.ts'

type SidebarItem = { text: string; link?: string; collapsed?: boolean; items?: SidebarItem[] }
export type SitePages = {
  /** By their place below the site's root. */
  pages: Map<string, string>
  /** Other files that pages link to: their place on the site, and in the repository. */
  files: Map<string, string>
  sidebars: Record<'zh' | 'en', SidebarItem[]>
}

/** Pictures, and files that a reader of the site wants. Other files are named without a link. */
const FILES = /^docs\/(.*\.(?:json|png|svg|webp))$/

/** `docs/` is the site's root, English is below `en/`, pages of other folders are below `project/`, and a README is an index. */
export function placeOf(page: string): string {
  const english = englishOf(page)
  const inDocs = english.startsWith('docs/') ? english.slice('docs/'.length) : `project/${english}`
  const place = inDocs.replace(/(^|\/)README\.md$/, '$1index.md')
  return isChinese(page) ? place : `en/${place}`
}

export function sitePages(pages: Map<string, string>): SitePages {
  const files = new Map<string, string>()
  const linkOnSite = (page: string, link: string): string | null => {
    const target = targetOf(page, link)
    if (target === null) return link
    const file = pageOf(target.file, pages)
    const anchor = target.anchor === null ? '' : `#${target.anchor}`
    if (file !== null) return `/${placeOf(file)}${anchor}`
    const name = FILES.exec(target.file)?.[1]
    if (name === undefined) return null
    files.set(name, target.file)
    return `/${name}`
  }
  const placed = [...pages].map(
    ([page, text]) => [placeOf(page), withLinks(text, (link) => linkOnSite(page, link))] as const,
  )
  // The site's switch of languages leads from each page to the same place in the other one.
  const untranslated = [...pages.keys()].filter((page) => !isChinese(page) && !pages.has(chineseOf(page)))
  const stubs = untranslated.map((page) => [placeOf(chineseOf(page)), onlyEnglish(page, pages)] as const)
  const sidebars = { zh: sidebarOf('docs/README.zh-CN.md', pages), en: sidebarOf('docs/README.md', pages) }
  return { pages: new Map([...placed, ...stubs]), files, sidebars }
}

function onlyEnglish(page: string, pages: Map<string, string>): string {
  const title = titleOf(pages.get(page) ?? '')
  return `# ${title}\n\n本页只有英文：[${title}](/${placeOf(page)})\n`
}

/** The page itself, in English where there is no Chinese one yet, or the first page of a folder; null for any other file. */
function pageOf(file: string, pages: Map<string, string>): string | null {
  const there = [file, englishOf(file)].find((one) => pages.has(one))
  if (there !== undefined) return there
  return [...pages.keys()].find((page) => page.startsWith(`${file}/`)) ?? null
}

/** A group for each heading of the index of docs/, with the pages that it links to, and below it the decisions. */
function sidebarOf(index: string, pages: Map<string, string>): SidebarItem[] {
  const ownOf = (page: string): string => (isChinese(index) && pages.has(chineseOf(page)) ? chineseOf(page) : page)
  const itemOf = (page: string): SidebarItem => ({ text: titleOf(pages.get(page) ?? ''), link: `/${placeOf(page)}` })
  const [, ...parts] = (pages.get(index) ?? '').split(/^## /m)
  const groups = parts.map((part) => {
    const linked = parsePage(part).links.map((link) => targetOf(index, link)?.file ?? '')
    const items = [...new Set(linked)].filter((page) => pages.has(page)).map(itemOf)
    return { text: part.slice(0, part.indexOf('\n')), items }
  })
  const decisions = [...pages.keys()].filter((page) => page.startsWith('docs/decisions/') && !isChinese(page))
  const heading = isChinese(index) ? '决定' : 'Decisions'
  return [...groups, { text: heading, collapsed: true, items: decisions.map((page) => itemOf(ownOf(page))) }]
}

/** Of the first heading, as it reads without marks. */
const titleOf = (text: string): string => (/^# (.*)$/m.exec(text)?.[1] ?? '').replaceAll('`', '')
