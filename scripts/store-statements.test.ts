/** On a database that is spread, a statement that names its merchant runs on one node. All others are written down, with what they cost. */
import fs from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import '../test/support/slow.ts'
import {
  groupFunctions,
  merchantTables,
  namesItsMerchant,
  statementsIn,
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
