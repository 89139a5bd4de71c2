/** The section of docs/proof/mutants.md and of its Chinese twin about the pure packages. A run of one area leaves what is said of the others. */
import type { Tongue } from '../wire-texts.ts'
import { type Survivor, scoreOf, type Verdict } from './judge.ts'

const BEGIN = '<!-- stryker -->'
const END = '<!-- /stryker -->'

const EMPTY_PAGE = {
  en: `# Mutants

[中文](mutants.zh-CN.md)

A mutant is the code with one planted mistake. A test must find it; one that none finds is judged below or mended.

${BEGIN}
${END}
`,
  zh: `# 变异测试

[English](mutants.md)

变异是埋了一个错误的代码。必须有测试发现它；没有测试发现的，要么在下面判断，要么改好。

${BEGIN}
${END}
`,
}

const INTRODUCTION = {
  en: `## What runs without a database

Made by \`npm run mutants:pure\` (Stryker, with the unit tests beside the code); edit
\`scripts/pure-mutants/judged.json\`, not this section. The score counts accepted survivors as not found.

| folder | mutants | found | never run | accepted | not judged | score |
|---|---|---|---|---|---|---|
`,
  zh: `## 不需要数据库的部分

由 \`npm run mutants:pure\` 生成（Stryker，用代码旁边的 unit 测试）；请改 \`scripts/pure-mutants/judged.json\`，不要改这一节。得分把接受的幸存变异也算作没有发现。

| 文件夹 | 变异 | 已发现 | 从未运行 | 接受 | 未判断 | 得分 |
|---|---|---|---|---|---|---|
`,
}

const SURVIVORS = {
  en: '| where | the mistake that no test finds | why it is accepted |',
  zh: '| 位置 | 没有测试发现的错误 | 为什么接受 |',
}
const NOT_JUDGED = { en: '**not judged**', zh: '**未判断**' }
const NOTHING = { en: '(nothing)', zh: '（空）' }

/** The page with this area's row and survivors replaced. `page` is null where there is none yet. */
export function pageWith(page: string | null, tongue: Tongue, area: { name: string; verdict: Verdict }): string {
  const { name, verdict } = area
  const text = page ?? EMPTY_PAGE[tongue]
  const [from, until] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || until < from) throw new Error(`the page of mutants needs a line ${BEGIN} and, below it, ${END}`)
  const before = text.slice(from, until)
  const rows = new Map(Array.from(before.matchAll(/^\| `([^`]+)` \|.*$/gm), (found) => [found[1] ?? '', found[0]]))
  const parts = new Map(
    Array.from(before.matchAll(/^### `([^`]+)`\n[\s\S]*?(?=^### |(?![\s\S]))/gm), (found) => [
      found[1] ?? '',
      found[0].trim(),
    ]),
  )
  rows.set(name, rowOf(name, verdict))
  if (verdict.accepted.length + verdict.unjudged.length === 0) parts.delete(name)
  else parts.set(name, partOf(name, verdict, tongue))
  const section = [INTRODUCTION[tongue] + sorted(rows).join('\n'), ...sorted(parts)].join('\n\n')
  return `${text.slice(0, from)}${BEGIN}\n${section}\n${text.slice(until)}`
}

const sorted = (named: Map<string, string>): string[] =>
  [...named].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text)

function rowOf(area: string, verdict: Verdict): string {
  const { mutants, found, neverRun, accepted, unjudged } = verdict
  const cells = [mutants, found, neverRun, accepted.length, unjudged.length, `${scoreOf(verdict)} %`]
  return `| \`${area}\` | ${cells.join(' | ')} |`
}

function partOf(area: string, { accepted, unjudged }: Verdict, tongue: Tongue): string {
  const rows = [
    ...accepted.map(
      (one) => `| ${place(one, area)} | ${change(one, tongue)} | ${tongue === 'zh' ? one.zh : one.why} |`,
    ),
    ...unjudged.map((one) => `| ${place(one, area)} | ${change(one, tongue)} | ${NOT_JUDGED[tongue]} |`),
  ]
  return `### \`${area}\`\n\n${SURVIVORS[tongue]}\n|---|---|---|\n${rows.join('\n')}`
}

const place = ({ file }: Survivor, area: string): string => file.slice(area.length + 1).replace(/^src\//, '')

const change = ({ from, to }: Survivor, tongue: Tongue): string => `${code(from, tongue)} → ${code(to, tongue)}`

/** As code in a cell of a table; texts that hold backticks are fenced by two. */
function code(text: string, tongue: Tongue): string {
  const escaped = text.replaceAll('|', '\\|')
  if (escaped === '') return NOTHING[tongue]
  return escaped.includes('`') ? `\`\` ${escaped} \`\`` : `\`${escaped}\``
}
