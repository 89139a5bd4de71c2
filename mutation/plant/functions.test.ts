import { expect, it } from 'vitest'
import { ourMigrations } from '../../packages/store/src/migrations/files.ts'
import { testDatabase } from '../../test/support/database.ts'
import { mutated } from '../mutant.ts'
import { functionsIn, plantFunctions } from './functions.ts'

const MIGRATION = `create table t (a int);
create function take(p_a int[], p_limit int) returns table (a int) language plpgsql as $$
declare
  taken int := 0;
begin
  for a in select x.a from t x where x.a = any (p_a) order by x.a
  loop
    exit when taken >= p_limit;
    select x.a into a from t x where x.a = a for update skip locked;
    if found and a > 0 then
      update t x set a = x.a + 1 where x.a = take.a;
      taken := taken + 1;
    end if;
    return next;
  end loop;
end
$$;
create index on t (a);
`

const says = plantFunctions(MIGRATION, []).map(({ says: text }) => text)

it('a stored function is found in its migration, from its first word to its last', () => {
  const [one, ...others] = functionsIn(MIGRATION)
  expect(others).toEqual([])
  expect(one?.name).toBe('take')
  expect(one?.text).toMatch(/^create function take[\s\S]*\$\$;$/)
  expect(MIGRATION.slice(one?.body.from, one?.body.to)).toMatch(/^declare[\s\S]*end\n$/)
})

it('conditions of loops, of branches and of statements are mistaken, and whole statements taken out', () => {
  expect(says).toEqual(
    expect.arrayContaining([
      'without the condition x.a = any (p_a)',
      'without order by x.a',
      'without exit when taken >= p_limit',
      'turned: taken >= p_limit became taken > p_limit',
      'without for update skip locked',
      'without skip locked',
      'without the condition found',
      'turned: a > 0 became a >= 0',
      'without update t x set a = x.a + 1 where x.a = take.a',
      'a is not written',
      'turned: x.a = take.a became x.a <> take.a',
      '+ became -',
      'without return next',
    ]),
  )
})

it('every mistake that is planted in our own functions is one that PostgreSQL stores', async () => {
  const database = await testDatabase()
  const refused: string[] = []
  const ours = ourMigrations().flatMap(({ sql }, at, all) => {
    const later = all.slice(at + 1).map((one) => one.sql)
    return plantFunctions(sql, later).map((one) => ({ one, sql }))
  })
  for (const { one, sql } of ours) {
    const stored = functionsIn(mutated(sql, one)).find(({ name }) => name === one.within)
    const text = stored?.text.replace(/^create function/, 'create or replace function') ?? 'select none'
    await database.pool
      .query(text)
      .catch((error: Error) => refused.push(`${one.within}: ${one.says}: ${error.message}`))
  }
  await database.drop()
  expect(refused).toEqual([])
  expect(ours.length).toBeGreaterThan(500)
})

it('a function that a later migration replaces is left alone', () => {
  expect(plantFunctions(MIGRATION, [MIGRATION.replace('create function', 'create or replace function')])).toEqual([])
})
