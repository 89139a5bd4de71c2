import { describe, expect, it } from 'vitest'
import { readMigration, statementsOf } from './files.ts'

describe('a migration file', () => {
  it('is one transaction that stops no program, unless it says something else', () => {
    expect(readMigration(26, '0026-x.sql', 'select 1;')).toMatchObject({ concurrently: null, needsProgram: null })
  })

  it('names the oldest program that goes on working, which is an older one than its own', () => {
    expect(readMigration(26, '0026-x.sql', '-- needs program 0025\nselect 1;').needsProgram).toBe(25)
    expect(() => readMigration(26, '0026-x.sql', '-- needs program 0026\nselect 1;')).toThrow(
      'migrations/0026-x.sql may need programs of an earlier migration only, not of 26',
    )
  })

  it('that says "concurrently" is read statement by statement', () => {
    const sql = `-- concurrently
-- Why it is there; and more.
create index concurrently one on orders (mch_no,
  changed_at) where state = 'NOTPAY'; -- partial
create unique index concurrently two on attempt (mch_no);
drop index concurrently if exists three;
`
    expect(readMigration(26, '0026-x.sql', sql).concurrently).toEqual([
      {
        sql: `create index concurrently one on orders (mch_no, changed_at) where state = 'NOTPAY'`,
        index: 'one',
        table: 'orders',
      },
      { sql: 'create unique index concurrently two on attempt (mch_no)', index: 'two', table: 'attempt' },
      { sql: 'drop index concurrently if exists three', index: 'three', table: null },
    ])
  })

  it.each(['alter table orders add column more text', 'create index more on orders (state)', 'vacuum orders'])(
    'that says "concurrently" is refused with what cannot be begun again: %s',
    (sql) => {
      expect(() => readMigration(26, '0026-x.sql', `-- concurrently\n${sql};`)).toThrow(
        /^migrations\/0026-x\.sql: only .* can run outside of a transaction, not: /,
      )
    },
  )

  it('is shown without its comments', () => {
    expect(statementsOf('-- why\ncreate table one (\n  number integer -- which\n);\n\ndrop table two;\n')).toEqual([
      'create table one ( number integer )',
      'drop table two',
    ])
  })
})
