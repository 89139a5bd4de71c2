/**
 * `npm run upgrade-trial -- --orders 1000000`: upgrades a database of so many orders under load, from the last release to this version
 * and to a trial version after it, and back; prints what was called and how many calls failed. `--folder F` keeps the seeded orders there.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { OLD } from '../test/support/upgrade/old.ts'
import { upgradeTrial } from '../test/support/upgrade/trial.ts'

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '20000' },
    lanes: { type: 'string', default: '4' },
    from: { type: 'string', default: OLD },
    folder: { type: 'string' },
  },
})
const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'acopay-upgrade-'))
const phases = await upgradeTrial({
  commit: values.from,
  orders: Number(values.orders),
  lanes: Number(values.lanes),
  folder,
  say: (line) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`),
})
if (values.folder === undefined) rmSync(folder, { recursive: true })

const at = (sorted: number[], part: number): number => Math.round(sorted[Math.floor(sorted.length * part)] ?? 0)
console.log('\n| | s | calls | failed | median ms | 99 % ms | slowest ms |\n|---|---|---|---|---|---|---|')
for (const { name, seconds, calls, failed, allMs, slowestMs } of phases) {
  const sorted = allMs.toSorted((one, other) => one - other)
  const times = [at(sorted, 0.5), at(sorted, 0.99), Math.round(slowestMs)]
  console.log(`| ${[name, seconds.toFixed(0), calls, failed.length, ...times].join(' | ')} |`)
}
const failed = phases.flatMap((phase) => phase.failed)
for (const line of new Set(failed)) console.log(line)
process.exitCode = failed.length > 0 ? 1 : 0
