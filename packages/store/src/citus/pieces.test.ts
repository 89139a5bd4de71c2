import { expect, it } from 'vitest'
import { ourMigrations } from '../migrations/files.ts'
import { piecesOf } from './pieces.ts'

it('a migration is cut before and after each table that it makes, and loses no word', () => {
  const sql =
    '-- why\nalter table a add b text;\ncreate table one (\n  mch_no text primary key\n);\ncreate index i on one (mch_no);\n'
  expect(piecesOf(sql).map(({ makesTable }) => makesTable)).toEqual([false, true, false])
})

it.each(ourMigrations().map(({ name, sql }) => [name, sql]))('every table of %s is a piece of its own', (_, sql) => {
  const made = piecesOf(sql).filter(({ makesTable }) => makesTable)
  expect(made).toHaveLength(sql.match(/^create table /gm)?.length ?? 0)
  expect(
    piecesOf(sql)
      .map(({ text }) => text)
      .join('')
      .replaceAll(/\s/g, ''),
  ).toBe(sql.replaceAll(/\s/g, ''))
})
