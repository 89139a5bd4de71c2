/** `npm run demo:race`: a gateway of its own, 200 races, and a table. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { startProcess } from '../test/support/process.ts'
import { COLUMNS, race } from './race.ts'

const ORDERS = 200

const home = mkdtempSync(path.join(tmpdir(), 'acopay-race-'))
const gateway = await startProcess({ ACOPAY_HOME: home, ACOPAY_JOB_PAUSE_MS: '100', LOG_LEVEL: 'silent' })
try {
  console.log(`${ORDERS} orders: two codes each, scanned in two apps, paid and closed at the same moment, faults on`)
  const results = await race(gateway.demo, { orders: ORDERS, atOnce: 10, say: (line) => console.log(`  ${line}`) })
  const yuan = (fen: number): string => (fen / 100).toFixed(2)
  const sum = (read: (one: (typeof results)[number]) => number): number =>
    results.reduce((total, one) => total + read(one), 0)
  console.log('')
  for (const column of COLUMNS) {
    console.log(`${String(results.filter(({ columns }) => columns.includes(column)).length).padStart(5)}  ${column}`)
  }
  const wrong = results.filter(({ columns }) => columns.length !== 1)
  console.log(`${String(wrong.length).padStart(5)}  都不是，或不止一种 in none, or in two`)
  const [taken, returned] = [sum(({ takenFen }) => takenFen), sum(({ returnedFen }) => returnedFen)]
  console.log(`\n上游共收 taken ${yuan(taken)}，退回 sent back ${yuan(returned)}，留存 kept ${yuan(taken - returned)}`)
  for (const { order, takenFen, returnedFen } of wrong) console.log(`  ${order} ${yuan(takenFen)} ${yuan(returnedFen)}`)
  process.exitCode = wrong.length === 0 ? 0 : 1
} finally {
  await gateway.end('SIGINT')
  rmSync(home, { recursive: true })
}
