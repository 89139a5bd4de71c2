/**
 * `npm run losses`: loses the database of a running gateway in ten ways, and prints the table of docs/proof/losses.md.
 * `-- --place external`: only there; `-- --only 'kill -9'`: only that way; `-- --write`: into the page.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { LOSSES } from '../test/support/losses/kinds.ts'
import { lose, openStage, type Row } from '../test/support/losses/lose.ts'
import type { Place } from '../test/support/losses/server.ts'

const PAGE = path.resolve(import.meta.dirname, '../docs/proof/losses.md')
const SIZE = { inFlight: 20, stream: 60 }
const HEAD = [
  '| 失去的方式 lost by | 数据库 database | 进程 process | SUCCESS | 处理中 closing | 1500 | 其他 other | 最慢 slowest | 首次成功 first close | `/readyz` 200 | 丢失 lost |',
  '|---|---|---|---|---|---|---|---|---|---|---|',
]

const { values } = parseArgs({
  options: { place: { type: 'string' }, only: { type: 'string' }, write: { type: 'boolean' } },
})

const lineOf = (row: Row): string => {
  const wrong = [
    ...row.other,
    ...(row.uncaught > 0 ? [`${row.uncaught} uncaught`] : []),
    ...(row.stuck > 0 ? [`${row.stuck} stuck`] : []),
  ]
  const cells = [
    `${row.zh} ${row.loss}`,
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
  ]
  return `| ${cells.join(' | ')} |`
}

const lines = [...HEAD]
console.log(HEAD.join('\n'))
for (const where of ['embedded', 'external'] as Place[]) {
  if (values.place !== undefined && values.place !== where) continue
  const home = mkdtempSync(path.join(tmpdir(), 'l-'))
  const stage = await openStage(where, home)
  for (const loss of LOSSES) {
    if (values.only !== undefined && values.only !== loss.name) continue
    const isPossible = loss.name !== 'full disk' || stage.hasSmallDisk
    const line = isPossible
      ? lineOf(await lose(stage, loss, SIZE))
      : `| ${loss.zh} ${loss.name} | ${where} | 未测：当前用户不能挂载小磁盘 not tried: this user may not mount a small disk |`
    lines.push(line)
    console.log(line)
  }
  await stage.end()
  rmSync(home, { recursive: true })
}
if (values.write === true) {
  const text = readFileSync(PAGE, 'utf8')
  writeFileSync(
    PAGE,
    text.replace(/(<!-- table -->\n)[\s\S]*(<!-- end -->)/, (_, begin, end) => `${begin}${lines.join('\n')}\n${end}`),
  )
}
