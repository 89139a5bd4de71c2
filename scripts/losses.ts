/**
 * `npm run losses`: loses the database of a running gateway in ten ways, and prints the table of docs/proof/losses.md.
 * `-- --place external`: only there; `-- --only 'kill -9'`: only that way; `-- --write`: into the page, and into its Chinese twin.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { LOSSES } from '../test/support/losses/kinds.ts'
import { lose, openStage, type Row } from '../test/support/losses/lose.ts'
import type { Place } from '../test/support/losses/server.ts'

const PROOF = path.resolve(import.meta.dirname, '../docs/proof')
const SIZE = { inFlight: 20, stream: 60 }
const HEADS: (string | [zh: string, en: string])[] = [
  ['失去的方式', 'lost by'],
  ['数据库', 'database'],
  ['进程', 'process'],
  'SUCCESS',
  ['处理中', 'closing'],
  '1500',
  ['其他', 'other'],
  ['最慢', 'slowest'],
  ['首次成功', 'first close'],
  '`/readyz` 200',
  ['丢失', 'lost'],
]
const NOT_TRIED: [zh: string, en: string] = [
  '未测：当前用户不能挂载小磁盘',
  'not tried: this user may not mount a small disk',
]

const { values } = parseArgs({
  options: { place: { type: 'string' }, only: { type: 'string' }, write: { type: 'boolean' } },
})

/** A row of the table for each page, and for the terminal. */
type Line = { zh: string; en: string; both: string }
const lineOf = (cells: (string | number | [zh: string, en: string])[]): Line => {
  const said = (say: (both: string[]) => string): string =>
    `| ${cells.map((cell) => (Array.isArray(cell) ? say(cell) : cell)).join(' | ')} |`
  return { zh: said(([zh]) => zh ?? ''), en: said(([, en]) => en ?? ''), both: said((both) => both.join(' ')) }
}

const measured = (row: Row): Line => {
  const wrong = [
    ...row.other,
    ...(row.uncaught > 0 ? [`${row.uncaught} uncaught`] : []),
    ...(row.stuck > 0 ? [`${row.stuck} stuck`] : []),
  ]
  return lineOf([
    [row.zh, row.loss],
    row.place,
    row.process,
    row.success,
    row.closing,
    row.busy,
    wrong.length === 0 ? 0 : wrong.join(', '),
    `${row.slowestS} s`,
    `${row.firstCloseS} s`,
    `${row.readyS} s`,
    row.lost,
  ])
}

const lines: Line[] = [lineOf(HEADS), lineOf(HEADS.map(() => '---'))]
for (const { both } of lines) console.log(both)
for (const where of ['embedded', 'external'] as Place[]) {
  if (values.place !== undefined && values.place !== where) continue
  const home = mkdtempSync(path.join(tmpdir(), 'l-'))
  const stage = await openStage(where, home)
  for (const loss of LOSSES) {
    if (values.only !== undefined && values.only !== loss.name) continue
    const isPossible = loss.name !== 'full disk' || stage.hasSmallDisk
    const line = isPossible
      ? measured(await lose(stage, loss, SIZE))
      : lineOf([[loss.zh, loss.name], where, NOT_TRIED, ...HEADS.slice(3).map(() => '–')])
    lines.push(line)
    console.log(line.both)
  }
  await stage.end()
  rmSync(home, { recursive: true })
}
if (values.write === true) {
  for (const [name, tongue] of [
    ['losses.md', 'en'],
    ['losses.zh-CN.md', 'zh'],
  ] as const) {
    const page = path.join(PROOF, name)
    const table = lines.map((line) => `${line[tongue]}\n`).join('')
    const text = readFileSync(page, 'utf8')
    writeFileSync(
      page,
      text.replace(/(<!-- table -->\n)[\s\S]*(<!-- end -->)/, (_, begin, end) => `${begin}${table}${end}`),
    )
  }
}
