/** Orders as a file: what the search shows, in the pages' own time, and a closing line where it is not all there is. */
import { FIRST_NUMBER, LAST_NUMBER, type ListedOrder, listOrders } from '@acopay/store/console'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConsoleCall } from '../apps/server/src/http/console/call.ts'
import { csvOf } from '../apps/server/src/http/console/exports/files.ts'
import { partsOf } from '../apps/server/src/http/console/exports/lists.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { place } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let gateway: TestWorld
let operator: ConsoleClient
/** The oldest first; one of them is dear. */
const numbers: string[] = []
beforeAll(async () => {
  gateway = await testWorld()
  await addUser(gateway, 'an-operator', 'operator')
  operator = await signedIn(gateway, 'an-operator')
  for (const amount_total of ['100.50', '1.00', '1.00', '1.00', '1.00']) {
    numbers.push(await place(gateway.demo, { amount_total }))
    gateway.advance(1000)
  }
})
afterAll(() => gateway.stop())

/** The lines of a file behind its first, which names the columns. */
async function linesOf(file: AsyncIterable<string> | string): Promise<string[]> {
  let text = ''
  for await (const chunk of file) text += chunk
  return text.trimEnd().split('\r\n').slice(1)
}

const ALL = { mchNo: null, from: FIRST_NUMBER, state: null, channel: null, amountMax: null }
const COLUMNS = [
  { zh: '单号', en: 'number', of: ({ transactionNo }: ListedOrder) => transactionNo },
  { zh: '应用', en: 'app', of: ({ appNo }: ListedOrder) => appNo },
]

/** The file of a list whose pages look at two orders. */
async function listed(limits: object, amountMin: bigint | null = null): Promise<string[]> {
  const read = async ({ pool }: TestWorld['world'], { query }: ConsoleCall) => {
    const filter = { ...ALL, amountMin, before: query.after ?? LAST_NUMBER }
    const { orders, next } = await listOrders(pool, filter, Number(query.limit), 2)
    return { rows: orders, next }
  }
  const call = { query: {} } as ConsoleCall
  const parts = await partsOf(gateway.world, call, read, { rows: 100, page: 2, inVain: 100, ...limits })
  if (!('next' in parts)) throw new Error('refused')
  return linesOf(csvOf({ columns: COLUMNS, parts, language: 'zh' }))
}

it('the export of a search for one number holds what the search shows, and nothing else', async () => {
  const [line = '', ...others] = await linesOf(
    (await operator.get(`orders.csv?number=${numbers[2]}&state=SUCCESS`)).body,
  )
  expect(line).toContain(numbers[2])
  expect(others).toEqual([])
  expect(await linesOf((await operator.get('orders.csv?number=no-such-number')).body)).toEqual([])
})

it('times are those of the pages, in UTC+8', async () => {
  const [line = ''] = await linesOf((await operator.get(`orders.csv?number=${numbers[0]}`)).body)
  expect(line).toContain(',2026-03-01T12:00:00+08:00,2026-03-01T14:00:00+08:00,')
})

it('a file that holds every row ends with the last of them', async () => {
  const lines = await listed({ rows: 5 })
  expect(lines).toHaveLength(5)
  expect(lines.at(-1)).toContain(numbers[0])
})

it('a file that was cut says so, and from when on orders are missing, in a line of as many columns', async () => {
  const lines = await listed({ rows: 3 })
  expect(lines).toHaveLength(4)
  expect(lines.at(-1)).toMatch(/^至此为止：已达3行；2026-03-01T12:00:02\+08:00 之前的不在.*it holds 3 rows/)
  expect(lines.at(-1)?.split(',')).toHaveLength(2)
})

it('a file of fewer rows than a page holds no more, and the next order is told as missing', async () => {
  const lines = await listed({ rows: 1 })
  expect(lines).toEqual([
    expect.stringContaining(numbers[4] ?? ''),
    expect.stringMatching(/^至此为止：已达1行；2026-03-01T12:00:04\+08:00 之前的不在/),
  ])
})

it('a search for what is rare is given up after so many stretches, and the file says so', async () => {
  const dear = await listed({ inVain: 2 }, 10_000n)
  expect(dear).toEqual([expect.stringMatching(/查找已停止；2026-03-01T12:00:01\+08:00 之前.*the search was given up/)])
  expect(await listed({ inVain: 4 }, 10_000n)).toEqual([expect.stringContaining(numbers[0] ?? '')])
})

it('amounts are bounded as people type them', async () => {
  for (const amount_min of ['100', '100.5', '100.50']) {
    const { body } = await operator.get(`orders?amount_min=${amount_min}`)
    expect(body.rows.map(({ transaction_no }: { transaction_no: string }) => transaction_no)).toEqual([numbers[0]])
  }
  expect((await operator.get('orders?amount_min=0&amount_max=1')).body.rows).toHaveLength(4)
  for (const amount_min of ['1e2', '-1', '1.234', '1,000']) {
    expect(await operator.get(`orders?amount_min=${amount_min}`)).toMatchObject({ status: 400 })
  }
})
