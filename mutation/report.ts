/** What a run shows while it goes on, and the planter's section of docs/proof/mutants.md and of its Chinese twin. */
import fs from 'node:fs'
import path from 'node:path'
import type { Draw, Result } from './draws.ts'
import type { Both, Judged } from './judged.ts'
import type { Mutant } from './mutant.ts'
import type { Verdict } from './run/conduct.ts'
import { ROOT } from './run/places.ts'

type Tongue = keyof Both

const PAGES: Both = { en: 'docs/proof/mutants.md', zh: 'docs/proof/mutants.zh-CN.md' }
const TITLES: Both = { en: '# Mutants', zh: '# 变异测试' }
export const isFound = ({ verdict }: Result): boolean => verdict.kind === 'found' || verdict.kind === 'hung'

/** One line for each mutant: how many are done, what became of it, and how many minutes are left. */
export function progress(total: number, judged: Judged, print: (line: string) => void) {
  const startMs = performance.now()
  let survived = 0
  return (mutant: Mutant, verdict: Verdict, done: number): void => {
    if (verdict.kind !== 'found' && verdict.kind !== 'hung') survived += 1
    const minutes = (performance.now() - startMs) / 60_000
    const left = Number.isFinite(total) ? `, ${Math.ceil((minutes / done) * (total - done))} min left` : ''
    const head = `${done}${Number.isFinite(total) ? ` of ${total}` : ''} (${done - survived} found, ${survived} survived${left})`
    print(
      `${head}  ${said(verdict, judged.has(mutant.id))}\n    ${mutant.id} line ${mutant.line} [${mutant.kind}] ${mutant.says}`,
    )
  }
}

function said(verdict: Verdict, isJudged: boolean): string {
  switch (verdict.kind) {
    case 'found':
      return `found by ${verdict.by}: ${(verdict.why.split('\n')[0] ?? '').slice(0, 120)}`
    case 'hung':
      return `found, it hung: ${verdict.by}`
    case 'survived':
      return `SURVIVED${isJudged ? ' (judged)' : ''} ${verdict.ran} test files${verdict.left > 0 ? `; ${verdict.left} more were not run` : ''}`
    case 'never run':
      return `SURVIVED${isJudged ? ' (judged)' : ''}: no test runs it`
    case 'broken':
      return `BROKEN: ${verdict.why}`
  }
}

/** Replaces the planter's section on both pages; what the other engine wrote stays. Answers the files' paths. */
export function writeReport(draws: Draw[], judged: Judged, args: string[]): string[] {
  for (const tongue of ['en', 'zh'] as const) writePage(tongue, TEXTS[tongue](draws, judged, args).join('\n'))
  return Object.values(PAGES)
}

function writePage(tongue: Tongue, lines: string): void {
  const place = path.join(ROOT, PAGES[tongue])
  const old = fs.existsSync(place)
    ? fs.readFileSync(place, 'utf8')
    : `${TITLES[tongue]}\n\n<!-- planter -->\n<!-- /planter -->\n`
  const marked = `<!-- planter -->\n${lines}\n<!-- /planter -->`
  const isThere = /<!-- planter -->[\s\S]*<!-- \/planter -->/
  const text = isThere.test(old) ? old.replace(isThere, () => marked) : `${old}\n${marked}\n`
  fs.mkdirSync(path.dirname(place), { recursive: true })
  fs.writeFileSync(place, text)
}

type Section = (draws: Draw[], judged: Judged, args: string[]) => string[]

const TEXTS: Record<Tongue, Section> = {
  en: (draws, judged, args) => [
    '',
    '## What needs a database: the planter',
    '',
    `Made by \`npm run mutants -- ${args.join(' ')}\`. What does not compile was not counted; \`hung\` means that a test did not`,
    'end in time, and counts as found. *Judged* survivors are listed below; a survivor that is not judged makes the command fail.',
    '',
    ...draws.flatMap((draw) => [
      `### ${draw.name.en.charAt(0).toUpperCase()}${draw.name.en.slice(1)}: ${draw.results.length} mutants`,
      '',
      '| folder | mutants | found | of these hung | judged | not judged | found |',
      ...rowsOf(draw, judged, 'all'),
      '',
    ]),
    '### Survivors that may survive',
    '',
    ...accepted(draws, judged, 'en'),
    '',
  ],
  zh: (draws, judged, args) => [
    '',
    '## 需要数据库的部分：埋错工具',
    '',
    `由 \`npm run mutants -- ${args.join(' ')}\` 生成。编译不过的不计；\`hung\` 表示有测试没有按时结束，算作发现。*判断过*的幸存变异列在下面；没有判断的会使命令失败。`,
    '',
    ...draws.flatMap((draw) => [
      `### ${draw.name.zh}：${draw.results.length} 个变异`,
      '',
      '| 文件夹 | 变异 | 已发现 | 其中 hung | 判断过 | 未判断 | 发现率 |',
      ...rowsOf(draw, judged, '合计'),
      '',
    ]),
    '### 可以幸存的变异',
    '',
    ...accepted(draws, judged, 'zh'),
    '',
  ],
}

function accepted(draws: Draw[], judged: Judged, tongue: Tongue): string[] {
  return unique(draws.flatMap(({ results }) => results))
    .filter((one) => !isFound(one) && judged.has(one.mutant.id))
    .map(({ mutant }) => `- \`${mutant.id}\` ${mutant.says.replaceAll('|', '\\|')}: ${judged.get(mutant.id)?.[tongue]}`)
}

const unique = (results: Result[]): Result[] => [...new Map(results.map((one) => [one.mutant.id, one])).values()]

function rowsOf({ results }: Draw, judged: Judged, all: string): string[] {
  const folders = [...new Set(results.map(({ mutant }) => folderOf(mutant.file)))].sort()
  const row = (name: string, some: Result[]): string => {
    const found = some.filter(isFound)
    const left = some.filter((one) => !isFound(one))
    const accepted = left.filter(({ mutant }) => judged.has(mutant.id))
    const hung = found.filter(({ verdict }) => verdict.kind === 'hung').length
    const score = ((100 * found.length) / some.length).toFixed(1)
    return `| ${name} | ${some.length} | ${found.length} | ${hung} | ${accepted.length} | ${left.length - accepted.length} | ${score} % |`
  }
  return [
    '|---|---|---|---|---|---|---|',
    ...folders.map((name) =>
      row(
        name,
        results.filter(({ mutant }) => folderOf(mutant.file) === name),
      ),
    ),
    row(all, results),
  ]
}

/** `packages/store`, `apps/server/src/http`. */
const folderOf = (file: string): string =>
  file
    .split('/')
    .slice(0, file.startsWith('apps/server/') ? 4 : 2)
    .join('/')
