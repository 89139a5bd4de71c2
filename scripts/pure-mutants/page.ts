/** The section of docs/proof/mutants.md about the pure packages. A run of one area leaves what is said of the others. */
import { type Survivor, scoreOf, type Verdict } from './judge.ts'

const BEGIN = '<!-- stryker -->'
const END = '<!-- /stryker -->'

const EMPTY_PAGE = `# 变异测试 Mutants

A mutant is the code with one planted mistake. A test must find it; one that none finds is judged below or mended.

${BEGIN}
${END}
`

const INTRODUCTION = `## 无需数据库的包 What runs without a database

Made by \`npm run mutants:pure\` (Stryker, with the unit tests beside the code); edit
\`scripts/pure-mutants/judged.json\`, not this section. The score counts accepted survivors as not found.

| folder | mutants | found | never run | accepted | not judged | score |
|---|---|---|---|---|---|---|
`

/** The page with this area's row and survivors replaced. `page` is null where there is none yet. */
export function pageWith(page: string | null, area: string, verdict: Verdict): string {
  const text = page ?? EMPTY_PAGE
  const [from, until] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (from < 0 || until < from) throw new Error(`docs/proof/mutants.md needs a line ${BEGIN} and, below it, ${END}`)
  const before = text.slice(from, until)
  const rows = new Map(Array.from(before.matchAll(/^\| `([^`]+)` \|.*$/gm), (found) => [found[1] ?? '', found[0]]))
  const parts = new Map(
    Array.from(before.matchAll(/^### `([^`]+)`\n[\s\S]*?(?=^### |(?![\s\S]))/gm), (found) => [
      found[1] ?? '',
      found[0].trim(),
    ]),
  )
  rows.set(area, rowOf(area, verdict))
  if (verdict.accepted.length + verdict.unjudged.length === 0) parts.delete(area)
  else parts.set(area, partOf(area, verdict))
  const section = [INTRODUCTION + sorted(rows).join('\n'), ...sorted(parts)].join('\n\n')
  return `${text.slice(0, from)}${BEGIN}\n${section}\n${text.slice(until)}`
}

const sorted = (named: Map<string, string>): string[] =>
  [...named].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, text]) => text)

function rowOf(area: string, verdict: Verdict): string {
  const { mutants, found, neverRun, accepted, unjudged } = verdict
  const cells = [mutants, found, neverRun, accepted.length, unjudged.length, `${scoreOf(verdict)} %`]
  return `| \`${area}\` | ${cells.join(' | ')} |`
}

function partOf(area: string, { accepted, unjudged }: Verdict): string {
  const rows = [
    ...accepted.map((one) => `| ${place(one, area)} | ${change(one)} | ${one.why} |`),
    ...unjudged.map((one) => `| ${place(one, area)} | ${change(one)} | **not judged** |`),
  ]
  return `### \`${area}\`\n\n| where | the mistake that no test finds | why it is accepted |\n|---|---|---|\n${rows.join('\n')}`
}

const place = ({ file }: Survivor, area: string): string => file.slice(area.length + 1).replace(/^src\//, '')

const change = ({ from, to }: Survivor): string => `${code(from)} → ${code(to)}`

/** As code in a cell of a table; texts that hold backticks are fenced by two. */
function code(text: string): string {
  const escaped = text.replaceAll('|', '\\|')
  if (escaped === '') return '(nothing)'
  return escaped.includes('`') ? `\`\` ${escaped} \`\`` : `\`${escaped}\``
}
