/** No migration may hold up the calls that are served meanwhile. `npm run record:locks` writes down what PostgreSQL says of a new one. */
import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { emptyDatabase, removeDatabases } from '../../../../test/support/empty-databases.ts'
import { effectsOf } from '../../../../test/support/migration-effects.ts'
import { MIGRATIONS_FOLDER } from '../migrations-folder.ts'
import { ourMigrations, readMigration } from './files.ts'
import { type Effect, type Effects, readEffects, stopsWriters } from './plan.ts'

/** Tables that grow with the traffic. */
const LARGE = [
  'orders',
  'attempt',
  'payment',
  'timeline',
  'refund',
  'reversal',
  'notification',
  'notification_try',
  'nonce',
  'job',
  'bill_part',
  'call_log',
  'console_audit',
  'console_audit_outcome',
]

/** Of versions that were never upgraded under load; the rule came after them. */
const BEFORE_THE_RULE = 25

afterEach(removeDatabases)

const isLarge = ({ table }: Effect): boolean => LARGE.includes(table)
/** Every lock lasts until the end of the transaction, so a large table that is read or written anew makes all of them long. */
const holdsUp = (effects: Effect[]): boolean =>
  effects.some((effect) => isLarge(effect) && (stopsWriters(effect) || effect.lock === 'RowExclusiveLock')) &&
  effects.some((effect) => isLarge(effect) && (effect.scans || effect.rewrites))

/** What a migration after all of ours would do. */
async function effectsOfNext(sql: string): Promise<Effect[]> {
  const ours = ourMigrations()
  const next = readMigration(ours.length + 1, 'next.sql', sql)
  const effects = await effectsOf(await emptyDatabase(), [...ours, next])
  return effects['next.sql'] as Effect[]
}

describe('a migration', () => {
  it('does what effects.json says (npm run record:locks writes it)', async () => {
    const effects = await effectsOf(await emptyDatabase(), ourMigrations())
    if (process.env.RECORD_LOCKS) writeFileSync(new URL('effects.json', MIGRATIONS_FOLDER), textOf(effects))
    expect(readEffects()).toEqual(effects)
  })

  it('holds up no call: it does not read or rewrite a large table while it locks one', () => {
    const late = ourMigrations().filter(({ number }) => number > BEFORE_THE_RULE)
    expect(late.filter(({ name }) => holdsUp(readEffects()[name] ?? [])).map(({ name }) => name)).toEqual([])
  })

  it('of the versions before the rule is found out by it', () => {
    const found = ourMigrations().filter(({ name }) => holdsUp(readEffects()[name] ?? []))
    expect(found.map(({ number }) => number)).toEqual(expect.arrayContaining([8, 10]))
  })

  it.each([
    ['builds an index', 'create index more on orders (changed_at);', 'ShareLock', true],
    ['rewrites a table', 'alter table orders alter column attempts type bigint;', 'AccessExclusiveLock', true],
    ['checks every row', 'alter table timeline add check (seq < 1000000);', 'AccessExclusiveLock', true],
    ['changes every row', `update notification set host = host;`, 'RowExclusiveLock', true],
    ['adds a column', 'alter table orders add column more text;', 'AccessExclusiveLock', false],
    [
      'adds a column with a default',
      `alter table orders add column more text not null default 'x';`,
      'AccessExclusiveLock',
      false,
    ],
    [
      'adds a check that is made later',
      'alter table orders add check (attempts < 1000) not valid;',
      'AccessExclusiveLock',
      false,
    ],
    [
      'builds an index concurrently',
      '-- concurrently\ncreate index concurrently more on orders (changed_at);',
      'ShareUpdateExclusiveLock',
      false,
    ],
  ])('that %s is judged by what it does', async (_, sql, lock, isRefused) => {
    const effects = await effectsOfNext(sql)
    expect([effects.find(isLarge)?.lock, holdsUp(effects)]).toEqual([lock, isRefused])
  })

  it('names large tables that are there', async () => {
    const pool = await emptyDatabase()
    await effectsOf(pool, ourMigrations())
    const { rows } = await pool.query('select relname from pg_class where relname = any($1)', [LARGE])
    expect(rows).toHaveLength(LARGE.length)
  })
})

/** Of each release: its last migration. */
const RELEASES: Record<string, number> = JSON.parse(readFileSync(new URL('releases.json', MIGRATIONS_FOLDER), 'utf8'))

it('a migration that needs programs of a certain age leaves the release before it alone', () => {
  const tooEarly = ourMigrations().filter(({ number, needsProgram }) => {
    const before = Math.max(0, ...Object.values(RELEASES).filter((last) => last < number))
    return needsProgram !== null && needsProgram > before
  })
  expect(tooEarly.map(({ name }) => name)).toEqual([])
})

const textOf = (effects: Effects): string => {
  const rows = Object.entries(effects).map(([name, list]) => {
    const lines = list.map((effect) => `    ${JSON.stringify(effect)}`)
    return `  ${JSON.stringify(name)}: [${lines.length === 0 ? '' : `\n${lines.join(',\n')}\n  `}]`
  })
  return `{\n${rows.join(',\n')}\n}\n`
}
