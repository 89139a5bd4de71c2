/** What closing an order asks of the database. A merchant who is known costs nothing; the bounds are written by hand. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { close, openAttempt, place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
/** What an upstream says until it is asked to close. */
let isOpen = true
beforeAll(async () => {
  test = await testWorld({
    upstream: () => ({
      query: async () => ({ kind: isOpen ? 'open' : 'closed' }),
      close: async () => {
        isOpen = false
        return { kind: 'accepted' }
      },
    }),
  })
})
afterAll(() => test.stop())

/** The statements that the gateway sends meanwhile, with `begin` and `commit`, in order. */
async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  const { pool } = test.database
  const sent: string[] = []
  const watch = (client: { query: unknown }): void => {
    if (Object.hasOwn(client, 'query')) return
    const query = client.query as (...asked: unknown[]) => unknown
    client.query = function (this: unknown, ...asked: unknown[]) {
      const [statement] = asked as [string | { name?: string; text?: string }]
      sent.push(typeof statement === 'string' ? statement : (statement.name ?? statement.text ?? ''))
      return query.apply(this, asked)
    }
    watched.push(client)
  }
  const watched: { query?: unknown }[] = []
  pool.on('acquire', watch)
  try {
    await work()
  } finally {
    pool.off('acquire', watch)
    for (const client of watched) delete client.query
  }
  return sent
}

/** Each `begin`, and each statement outside of a transaction. */
function transactionsIn(statements: string[]): number {
  let isWithin = false
  let count = 0
  for (const statement of statements) {
    if (statement === 'commit') isWithin = false
    else if (!isWithin) count += 1
    if (statement === 'begin') isWithin = true
  }
  return count
}

it('a close without attempts is one statement', async () => {
  const order = await place(test.demo)
  const statements = await statementsOf(async () => {
    expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
  })
  expect(statements).toEqual(['moveUntouched'])
})

it('a close with one open attempt is at most three transactions and twelve statements', async () => {
  // The first call by an account also writes that it works.
  for (const isFirst of [true, false]) {
    isOpen = true
    const order = await place(test.demo)
    await openAttempt(test.demo, order)
    const statements = await statementsOf(async () => {
      expect(await close(test.demo, order)).toMatchObject({ data: { code: 'SUCCESS' } })
    })
    if (isFirst) continue
    expect({ statements, count: statements.length }).toMatchObject({ count: expect.toSatisfy((count) => count <= 12) })
    expect(transactionsIn(statements)).toBeLessThanOrEqual(3)
    const [intent, answer] = [statements.indexOf('moveOrder'), statements.lastIndexOf('moveOrder')]
    // The intent is committed before an upstream is asked, and its answer before the merchant hears of it.
    expect(statements.slice(intent, answer)).toContain('commit')
    expect(statements.at(-1)).toBe('commit')
  }
})
