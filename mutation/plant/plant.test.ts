import '../../test/support/slow.ts'
import { describe, expect, it } from 'vitest'
import { mutated } from '../mutant.ts'
import { plant } from './plant.ts'

const STORE = 'packages/store/src/x.ts'

/** The texts that planting makes of one text, those of one kind. */
const made = (kind: string, text: string, file = 'apps/server/src/x.ts'): string[] =>
  plant(file, text)
    .filter((one) => one.kind === kind)
    .map((one) => mutated(text, one))

describe('plain mistakes', () => {
  it('turn a comparison, its boundary and its direction', () => {
    expect(made('operator turned', 'const a = b < c')).toEqual(['const a = b <= c', 'const a = b >= c'])
    expect(made('operator turned', 'const a = b !== c && !d')).toEqual([
      'const a = b === c && !d',
      'const a = b !== c || !d',
      'const a = b !== c && d',
    ])
  })

  it('decide a condition', () => {
    expect(made('condition decided', 'if (a) b()')).toEqual(['if (true) b()', 'if (false) b()'])
    expect(made('condition decided', 'const x = a ? 1 : 2')).toEqual([
      'const x = true ? 1 : 2',
      'const x = false ? 1 : 2',
    ])
  })

  it('take a statement, a property and an element out, and an await', () => {
    expect(made('statement out', 'async function f() {\n  await a()\n}')).toEqual(['async function f() {\n  ;\n}'])
    expect(made('await out', 'async function f() { await a() }')).toEqual(['async function f() { a() }'])
    expect(made('property out', 'const x = { a, b: 1 }')).toEqual(['const x = { b: 1 }', 'const x = { a,  }'])
    expect(made('element out', `const x = ['a', 'b']`)).toEqual([`const x = ['b']`, `const x = ['a', ]`])
  })

  it('swap two neighbours that both do something', () => {
    expect(made('statements swapped', 'async function f() {\n  await a()\n  b()\n}')).toEqual([
      'async function f() {\n  b()\n  await a()\n}',
    ])
    // Nothing depends on the order of these.
    expect(
      made('statements swapped', 'class A {\n  constructor(b, c) {\n    this.b = b\n    this.c = c\n  }\n}'),
    ).toEqual([])
    expect(made('statements swapped', `function f() {\n  app.get('/a', a)\n  app.post('/b', b)\n}`)).toEqual([])
    expect(
      made('statements swapped', 'async function f() {\n  const a = async () => await b()\n  await c()\n}'),
    ).toEqual([])
  })

  it('loosen a pattern at each end', () => {
    expect(made('pattern loosened', 'const x = /^a+$/u')).toEqual(['const x = /a+$/u', 'const x = /^a+/u'])
  })

  it('leave types, imports, logs and the texts of errors alone', () => {
    const text = `import a from 'b'\ntype C = 'd'\nlog.info('e', f === g)\nthrow new Error('h')\n`
    expect(plant('apps/server/src/x.ts', text).map(({ kind }) => kind)).toEqual(['statement out'])
  })
})

describe("the payment world's own mistakes", () => {
  it('swap a permission and a role', () => {
    expect(made('permission swapped', `const x = 'merchants.write'`)).toEqual([
      `const x = 'merchants.read'`,
      `const x = 'orders.read'`,
    ])
    expect(made('permission swapped', `const x = 'finance'`)).toEqual([`const x = 'merchant_admin'`])
  })

  it('take what is unknown for final', () => {
    expect(made('unknown made final', `const x = 'PROCESSING'`)).toEqual([`const x = 'SUCCESS'`, `const x = 'FAIL'`])
  })

  it('move a write out of its transaction', () => {
    expect(made('out of its transaction', 'transaction(world.pool, async (db) => {\n  await write(db, 1)\n})')).toEqual(
      ['transaction(world.pool, async (db) => {\n  await write(world.pool, 1)\n})'],
    )
  })

  it('compare an amount in one direction only', () => {
    expect(made('amount one way', 'const x = amountFen !== other')).toEqual([
      'const x = amountFen < other',
      'const x = amountFen > other',
    ])
    expect(made('amount one way', `const x = fenced !== 'CLOSING'`)).toEqual([])
  })

  it('take a bound away and set a limit to zero', () => {
    expect(made('bound out', 'const x = Math.min(a, b)')).toEqual(['const x = (a)', 'const x = (b)'])
    expect(made('limit zero', 'const LIMIT = 500')).toEqual(['const LIMIT = 0'])
  })

  it("take UTC for China's clock", () => {
    expect(made('another clock', `const x = at + '+08:00'`)).toEqual([`const x = at + '+00:00'`])
  })
})

describe('SQL', () => {
  const sql = (kind: string, text: string): string[] =>
    made(`sql: ${kind}`, `const x = \`${text}\``, STORE).map((one) => one.slice(11, -1))

  it('loses each condition of a where, at whatever depth, and keeps the types of its parameters', () => {
    expect(sql('condition out', 'select 1 from a where b = $1 and (c is null or d between $2 and $3)')).toEqual([
      'select 1 from a where (b = $1 or true) and (c is null or d between $2 and $3)',
      'select 1 from a where b = $1 and ((c is null or true) or d between $2 and $3)',
      'select 1 from a where b = $1 and (c is null or (d between $2 and $3 or true))',
    ])
  })

  it('loses and turns the conditions of joins, cases, inner selects and lists of columns', () => {
    const text =
      'select exists (select from b where c = 1) as d, case when e < 2 then 3 end as f from g join h on i <> j'
    expect(sql('condition turned', text)).toEqual([
      text.replace('exists (select from b where c = 1)', 'not (exists (select from b where c = 1))'),
      text.replace('c = 1', 'c <> 1'),
      text.replace('e < 2', 'e <= 2'),
      text.replace('e < 2', 'e >= 2'),
      text.replace('i <> j', 'i = j'),
    ])
  })

  it('loses its lock, its order, its limit and its conflict clause', () => {
    const text = 'select 1 from a order by b, c desc limit $1 for update skip locked'
    expect(sql('lock', text)).toEqual([text.replace(' for update skip locked', ' '), text.replace('skip locked', '')])
    expect(sql('order', text)).toEqual([
      text.replace('order by b, c desc', ''),
      text.replace('b, c', 'b desc, c'),
      text.replace('c desc', 'c'),
    ])
    expect(sql('limit', text)).toEqual([text.replace('limit $1', 'limit $1 + 1000000')])
    expect(sql('conflict', 'insert into a (b) values ($1) on conflict do nothing')).toEqual([
      'insert into a (b) values ($1) ',
    ])
  })

  it('does not read a column, and does not write one', () => {
    expect(sql('column', 'select a as "b", c.d from e')).toEqual([
      'select case when true then null else a end as "b", c.d from e',
      'select a as "b", case when true then null else c.d end as d from e',
    ])
    expect(sql('column', 'update a set b = $1 where c')).toEqual([
      'update a set b = case when true then a.b else $1 end where c',
    ])
    expect(sql('column', 'insert into a (b, c) values ($1, 2)')).toEqual([
      'insert into a (b, c) values (case when true then (select x.b from a x where false) else $1 end, 2)',
      'insert into a (b, c) values ($1, case when true then (select x.c from a x where false) else 2 end)',
    ])
  })

  it('reads around what is put into it', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source file
    expect(sql('condition out', 'select ${COLUMNS} from a where ${which}b = $1')).toEqual([
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source file
      'select ${COLUMNS} from a where ${which}(b = $1 or true)',
    ])
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the text of a source file
    expect(sql('limit', 'select 1 from a limit ${MAX}')).toEqual(['select 1 from a limit ${MAX} + 1000000'])
  })
})

describe('the id of a mutant', () => {
  const text = 'function f() {\n  if (a) b()\n}\n'
  const ids = (of: string): string[] => plant('apps/server/src/x.ts', of).map(({ id }) => id)

  it('stays when other parts of the file change', () => {
    const later = `const before = 5000\n\n${text}\nfunction g() { return c > d }\n`
    expect(ids(later)).toEqual(expect.arrayContaining(ids(text)))
  })

  it('differs between two mutants that look alike', () => {
    const twice = ids('function f() {\n  a()\n  c()\n  a()\n}\n')
    expect(new Set(twice).size).toBe(twice.length)
  })
})
