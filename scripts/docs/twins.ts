/**
 * Every page is there in English (`X.md`) and in Chinese (`X.zh-CN.md`). docs/twins.json has the digests of both texts as they were
 * last declared to say the same, so that a page that was changed alone is seen without git's history or file times.
 */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import declared from '../../docs/twins.json' with { type: 'json' }
import { chineseOf, englishOf, isChinese, type Parsed, parsePage, readPages, targetOf, withLinks } from './pages.ts'

/** By the English page. `lacking`: pages that have no twin yet; the list only gets shorter. */
export type Twins = { lacking: string[]; pairs: Record<string, { en: string; zh: string }> }

/** Pages that need no twin: a list of changes, and tables that commands write. One that has a twin is held against it. */
const ENGLISH_ONLY = /^(CHANGELOG\.md|docs\/proof\/(mutants|simulator-mutants)\.md)$/
/** Their words say the same in other words: pictures, and places to fill in. */
const TRANSLATED_FENCES = new Set(['', 'mermaid', 'text', 'http'])
/** How a comment begins; in other languages with two strokes. */
const COMMENTS: Record<string, RegExp> = {
  ...Object.fromEntries(['sh', 'console', 'python', 'yaml', 'toml', 'ini'].map((tag) => [tag, /(^|\s)# .*$/gm])),
  sql: /(^|\s)-- .*$/gm,
}
const COMMAND = 'npm run docs:twins'
const REPAIR = `a link leads to the other language, or none to the twin (${COMMAND} repairs it)`
const ROOT = path.resolve(import.meta.dirname, '../..')

/** Everything in which the pages and the declared pairs are wrong, one sentence each. */
export function twinProblems(pages: Map<string, string>, twins: Twins): string[] {
  const english = [...pages.keys()].filter((page) => !isChinese(page))
  const pairs = english.filter((page) => pages.has(chineseOf(page)))
  const orphans = [...pages.keys()].filter((page) => isChinese(page) && !pages.has(englishOf(page)))
  return [
    ...orphans.map((page) => `${page}: there is no ${englishOf(page)}`),
    ...english.filter((page) => !pages.has(chineseOf(page))).flatMap((page) => lackProblems(page, twins)),
    ...twins.lacking
      .filter((page) => !pages.has(page) || pages.has(chineseOf(page)))
      .map((page) => `${page} lacks no twin: take it off the list in docs/twins.json (${COMMAND})`),
    ...Object.keys(twins.pairs)
      .filter((page) => !pairs.includes(page))
      .map((page) => `docs/twins.json has the pair of ${page}, which is gone (${COMMAND})`),
    ...pairs.flatMap((page) => [...agreementProblems(page, pages, twins), ...pairProblems(page, pages)]),
  ]
}

function lackProblems(page: string, { lacking }: Twins): string[] {
  if (ENGLISH_ONLY.test(page) || lacking.includes(page)) return []
  return [`${page} has no Chinese twin: write ${chineseOf(page)}`]
}

/** What `npm run docs` writes is not held against what was declared: both languages come from one table. */
export function digestOf(text: string): string {
  const byHand = text.replace(/(<!-- code: [^>]+ -->)[\s\S]*?<!-- \/code -->/g, '$1')
  return createHash('sha256').update(byHand).digest('hex').slice(0, 12)
}

function agreementProblems(page: string, pages: Map<string, string>, { pairs }: Twins): string[] {
  const [en, zh] = [digestOf(pages.get(page) ?? ''), digestOf(pages.get(chineseOf(page)) ?? '')]
  const last = pairs[page]
  if (last === undefined) return [`${page} and its twin are new: read one beside the other, then ${COMMAND}`]
  if (last.en === en && last.zh === zh) return []
  const changed = [...(last.en === en ? [] : [page]), ...(last.zh === zh ? [] : [chineseOf(page)])]
  return [`changed: ${changed.join(' and ')}. Let both languages say the same, then ${COMMAND}`]
}

/** In what a page and its twin differ although no translation can make the difference. */
export function pairProblems(page: string, pages: Map<string, string>): string[] {
  const twin = chineseOf(page)
  const [en, zh] = [parsePage(pages.get(page) ?? ''), parsePage(pages.get(twin) ?? '')]
  const own = `${page} and its twin differ`
  return [
    ...firstDifference(`${own} in the heading`, en.headings.map(levelOf), zh.headings.map(levelOf)),
    ...firstDifference(`${own} in the code block`, en.fences.map(fenceText), zh.fences.map(fenceText)),
    ...(en.rows === zh.rows ? [] : [`${own} in the rows of tables: ${en.rows} and ${zh.rows}`]),
    ...(en.entries === zh.entries ? [] : [`${own} in the entries of lists: ${en.entries} and ${zh.entries}`]),
    ...onlyInOne('the code', { page, twin }, new Set(en.codes), new Set(zh.codes)),
    ...onlyInOne('the link to', { page, twin }, linksOf(page, en, pages), linksOf(twin, zh, pages)),
    ...[page, twin].filter((one) => repaired(one, pages) !== pages.get(one)).map((one) => `${one}: ${REPAIR}`),
  ]
}

const levelOf = ({ level }: { level: number }): string => '#'.repeat(level)

function firstDifference(what: string, en: string[], zh: string[]): string[] {
  const at = Array.from({ length: Math.max(en.length, zh.length) }, (_, index) => index).find((i) => en[i] !== zh[i])
  if (at === undefined) return []
  const quoted = (text: string | undefined): string => (text === undefined ? 'none' : JSON.stringify(text))
  return [`${what} ${at + 1}: ${quoted(en[at])} and ${quoted(zh[at])}`]
}

/** Comments in code are translated, commands and what they print are not. */
function fenceText({ tag, text }: { tag: string; text: string }): string {
  if (TRANSLATED_FENCES.has(tag)) return `\`\`\`${tag}`
  const comment = COMMENTS[tag] ?? /(^|\s)\/\/ .*$/gm
  return `\`\`\`${tag}\n${text.replace(comment, '').replace(/\n\s*\n/g, '\n')}`
}

function onlyInOne(what: string, names: { page: string; twin: string }, en: Set<string>, zh: Set<string>): string[] {
  const lacks = (file: string, here: Set<string>, there: Set<string>): string[] =>
    [...there].filter((one) => !here.has(one)).map((one) => `${file} lacks ${what} ${one} of its twin`)
  return [...lacks(names.twin, zh, en), ...lacks(names.page, en, zh)]
}

/** Where links lead, in words that are the same for both languages: a place in a page is the number of its heading. */
function linksOf(page: string, { links }: Parsed, pages: Map<string, string>): Set<string> {
  return new Set(
    links.map((link) => {
      const target = targetOf(page, link)
      if (target === null) return link
      const file = englishOf(target.file)
      if (target.anchor === null) return file
      const headings = parsePage(pages.get(target.file) ?? '').headings
      return `${file}, heading ${headings.findIndex(({ anchor }) => anchor === target.anchor) + 1}`
    }),
  )
}

/**
 * The page with a link to its twin below its title, and with every link to another page in its own language, as far as the page is
 * there in it.
 */
export function repaired(page: string, pages: Map<string, string>): string {
  const text = pages.get(page) ?? ''
  const twin = isChinese(page) ? englishOf(page) : chineseOf(page)
  const isTwinLinked = parsePage(text).links.some((link) => targetOf(page, link)?.file === twin)
  const twinLink = `[${isChinese(page) ? 'English' : '中文'}](${path.posix.basename(twin)})`
  const linked = isTwinLinked ? text : text.replace(/^# .*\n/m, (title) => `${title}\n${twinLink}\n`)
  return withLinks(linked, (link) => inOwnLanguage({ page, twin, link }, pages))
}

function inOwnLanguage(
  { page, twin, link }: Record<'page' | 'twin' | 'link', string>,
  pages: Map<string, string>,
): string {
  const target = targetOf(page, link)
  if (target === null || target.file === twin) return link
  const file = isChinese(page) ? chineseOf(target.file) : englishOf(target.file)
  if (file === target.file || !pages.has(file)) return link
  const here = path.posix.relative(path.posix.dirname(page), file)
  if (target.anchor === null) return here
  const headingsOf = (one: string) => parsePage(pages.get(one) ?? '').headings
  const at = headingsOf(target.file).findIndex(({ anchor }) => anchor === target.anchor)
  return `${here}#${headingsOf(file)[at]?.anchor ?? target.anchor}`
}

/** The pairs as they are now. A page never comes onto the list of those that lack a twin. */
export function declaredAnew(pages: Map<string, string>, { lacking }: Twins): Twins {
  const pairs = [...pages.keys()].filter((page) => !isChinese(page) && pages.has(chineseOf(page)))
  const digests = (page: string) => ({
    en: digestOf(pages.get(page) ?? ''),
    zh: digestOf(pages.get(chineseOf(page)) ?? ''),
  })
  return {
    lacking: lacking.filter((page) => pages.has(page) && !pages.has(chineseOf(page))),
    pairs: Object.fromEntries(pairs.map((page) => [page, digests(page)])),
  }
}

function declare(): void {
  const pages = readPages()
  const paired = Object.keys(declaredAnew(pages, declared).pairs)
  for (const page of paired.flatMap((one) => [one, chineseOf(one)])) {
    const text = repaired(page, pages)
    if (text === pages.get(page)) continue
    writeFileSync(path.join(ROOT, page), text)
    console.log(`links repaired: ${page}`)
    pages.set(page, text)
  }
  const differences = paired.flatMap((page) => pairProblems(page, pages))
  if (differences.length > 0) {
    console.error(differences.join('\n'))
    process.exitCode = 1
    return
  }
  for (const problem of twinProblems(pages, declared)) console.log(problem)
  const text = JSON.stringify(declaredAnew(pages, declared), null, 2)
  const lines = text.replace(/\{\s+("en": "\w+"),\s+("zh": "\w+")\s+\}/g, '{ $1, $2 }')
  writeFileSync(path.join(ROOT, 'docs/twins.json'), `${lines}\n`)
  console.log('docs/twins.json')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) declare()
