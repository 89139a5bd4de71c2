import { expect, it } from 'vitest'
import { ourMigrations } from '../migrations/files.ts'
import { piecesOf } from './pieces.ts'

it('a migration is cut after each statement, and one that makes a table is known', () => {
  const sql =
    '-- why\nalter table a add b text;\ncreate table one (\n  mch_no text primary key\n);\ncreate index i on one (mch_no);\n'
  expect(piecesOf(sql).map(({ makesTable }) => makesTable)).toEqual([false, true, false])
  expect(piecesOf('-- of a; b\ncreate unlogged table two (a text);').map(({ makesTable }) => makesTable)).toEqual([
    true,
  ])
})

it('a semicolon in a comment, a text or a body of a function ends nothing', () => {
  const sql = `-- a; b\nselect ';', 'it''s;';create function f() returns void language sql as $x$ select 1; select '$$;' $x$;select $$;$$;`
  expect(piecesOf(sql).map(({ text }) => text)).toEqual([
    `-- a; b\nselect ';', 'it''s;';`,
    "create function f() returns void language sql as $x$ select 1; select '$$;' $x$;",
    'select $$;$$;',
  ])
})

it.each(ourMigrations().map(({ name, sql }) => [name, sql]))('every table of %s is a piece of its own', (_, sql) => {
  const made = piecesOf(sql).filter(({ makesTable }) => makesTable)
  expect(made).toHaveLength(sql.match(/^create (?:unlogged )?table /gm)?.length ?? 0)
  expect(
    piecesOf(sql)
      .map(({ text }) => text)
      .join('')
      .replaceAll(/\s/g, ''),
  ).toBe(sql.replaceAll(/\s/g, ''))
})
