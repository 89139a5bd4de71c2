/** On a database that is spread, a statement that names its merchant runs on one node. All others are written down, with what they cost. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import '../test/support/slow.ts'
import {
  asksForStateBesideKey,
  groupFunctions,
  merchantTables,
  namesItsMerchant,
  statementsIn,
  storedFunctions,
  storeStatements,
  touches,
} from './store-statements.ts'

const ROOT = path.dirname(import.meta.dirname)
const functions = groupFunctions()
const tables = merchantTables()

/** The first words of the rows of the table below this heading's mark. */
function listedIn(page: string): string[] {
  const text = fs.readFileSync(path.join(ROOT, 'docs', page), 'utf8')
  const [, after = ''] = text.split('<!-- statements over all merchants -->\n')
  const [list = ''] = after.split('\n\n')
  return [...list.matchAll(/^\| (`[^|]*`) \|/gm)].flatMap(([, names = '']) =>
    [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  )
}

it('every statement of the store names its merchant, or is on the list of those over all merchants', () => {
  const over = storeStatements().filter(({ text }) => touches(text, tables) && !namesItsMerchant(text, functions))
  const names = [...new Set(over.map(({ name }) => name))].sort()
  expect(listedIn('scaling.md').sort()).toEqual(names)
  expect(listedIn('scaling.zh-CN.md').sort()).toEqual(names)
})

it('finds the statements and the tables', () => {
  expect(storeStatements().length).toBeGreaterThan(150)
  expect(tables).toEqual(expect.arrayContaining(['merchant', 'orders', 'timeline', 'job', 'nonce', 'figure']))
  expect(tables).not.toContain('console_user')
  expect(functions).toEqual(expect.arrayContaining(['place_orders', 'move_untouched', 'move_order']))
})

it.each([
  ["run(db, 'a', 'select 1 from orders where transaction_no = $1', [])", false],
  ["run(db, 'a', 'select 1 from orders where mch_no = $1', [])", true],
  [`const T = 'from orders o'\nrun<Row>(db, \`a\${b}\`, \`select 1 \${T} where o.mch_no = $2\`, [])`, true],
  [`const T = 'from orders o'\nrun<Row>(db, \`a\${b}\`, \`select 1 \${T} where o.state = $2\`, [])`, false],
  ["run(db, 'a', `insert into job (mch_no, kind) values ($1, $2)`, [])", true],
  ["run(db, 'a', `insert into job (mch_no, kind) select mch_no, 'x' from merchant`, [])", false],
  ["run(db, 'a', 'select 1 from orders where $1::text is null or mch_no = $1', [])", false],
  ["run(db, 'a', 'select moved from move_order($1, $2)', [])", true],
])('judges %s', (source, isNamed) => {
  const [found] = statementsIn('x.ts', source)
  expect(namesItsMerchant(found?.text ?? '', functions)).toBe(isNamed)
})

it('no statement and no stored function finds a row by its key and by its state', () => {
  const all = [...storeStatements(), ...storedFunctions()]
  expect(all.filter(({ text }) => asksForStateBesideKey(text)).map(({ name }) => name)).toEqual([])
  expect(storedFunctions().map(({ name }) => name)).toEqual(expect.arrayContaining(['lease_jobs', 'move_order']))
})

it.each([
  ["select from notification n where n.mch_no = $1 and n.transaction_no = $2 and n.state = 'PENDING'", true],
  ["update refund set x = 1 where mch_no = $1 and refund_no = $2 and lands_until = $3 and state = 'PROCESSING'", true],
  ['perform from job j where j.mch_no = p_mch_no[place] and j.subject = p_subject[place] and j.due_at <= p_now', true],
  ["select from notification n where n.mch_no = $1 and n.transaction_no = $2 and n.state || '' = 'PENDING'", false],
  ["select from notification n where n.state = 'PENDING' and n.host = next_host and n.due_at <= p_now", false],
])('%s: %s', (text, isAsked) => {
  expect(asksForStateBesideKey(text)).toBe(isAsked)
})
