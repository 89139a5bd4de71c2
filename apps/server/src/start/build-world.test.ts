import type { NewOrder } from '@acopay/store'
import { expect, it } from 'vitest'
import { masterKeysOf } from '../security/vault.ts'
import type { World } from '../world.ts'
import { buildWorld, type Parts } from './build-world.ts'
import { sureClock } from './clock.ts'
import { readConfig } from './config.ts'

/** A database that answers when the test says so. `asked` holds, for each statement, how many callers share it. */
function slowDatabase() {
  const asked: number[] = []
  const waiting: (() => void)[] = []
  const query = ({ values }: { values: unknown[] }) =>
    new Promise((resolve) => {
      asked.push(values.find(Array.isArray)?.length ?? 1)
      waiting.push(() => resolve({ rows: [] }))
    })
  const parts = {
    config: readConfig({}, '/nowhere'),
    pool: { query },
    master: masterKeysOf(Buffer.alloc(32)),
    purposeKey: () => Buffer.alloc(32),
    outgoing: {},
  }
  const world = buildWorld({ ...parts, clock: sureClock(() => new Date(0)), sandboxUrl: () => '' } as unknown as Parts)
  const answerOne = async (): Promise<void> => {
    waiting.shift()?.()
    await new Promise(setImmediate)
  }
  return { world, asked, answerOne }
}

it('callers are looked up in two statements at a time, and those who wait share the next one, in which each merchant is named once', async () => {
  const { world, asked, answerOne } = slowDatabase()
  const found = Array.from({ length: 500 }, (_, index) => world.merchants.read(`MCH${index % 3}`))
  expect(asked).toEqual([1, 1])
  await answerOne()
  expect(asked).toEqual([1, 1, 3])
  await answerOne()
  await answerOne()
  expect(asked).toHaveLength(3)
  expect(new Set(await Promise.all(found))).toEqual(new Set([null]))
})

const NO_BYTES = Buffer.alloc(32)
const CLOSE = { ref: { transactionNo: 'AP1' }, nonce: 'n', entry: '{}', mac: NO_BYTES }
const PLACING = { nonce: 'n', entry: '{}', genesis: NO_BYTES, mac: NO_BYTES, now: new Date(0) }

it.each<[string, (world: World, mchNo: string) => Promise<unknown>]>([
  ['cheap closes of all merchants go', (world, mchNo) => world.closeUntouched({ ...CLOSE, mchNo })],
  [
    'orders of all merchants are placed',
    (world, mchNo) => world.insertOrder({ ...PLACING, order: { mchNo } as NewOrder }),
  ],
])('%s in two statements at a time, of 128 callers at most', async (_what, call) => {
  const { world, asked, answerOne } = slowDatabase()
  const calls = Array.from({ length: 2 + 128 + 1 }, (_, index) => call(world, `MCH${index}`))
  expect(asked).toEqual([1, 1])
  await answerOne()
  expect(asked).toEqual([1, 1, 128])
  await answerOne()
  expect(asked).toEqual([1, 1, 128, 1])
  await answerOne()
  await answerOne()
  await Promise.all(calls)
})

it('of callers of many merchants at most 512 are looked up in one statement', async () => {
  const { world, asked, answerOne } = slowDatabase()
  const found = Array.from({ length: 2 + 512 + 1 }, (_, index) => world.merchants.read(`MCH${index}`))
  await answerOne()
  expect(asked).toEqual([1, 1, 512])
  await answerOne()
  expect(asked).toEqual([1, 1, 512, 1])
  await answerOne()
  await answerOne()
  await Promise.all(found)
})

it('nonces of queries are stored in two statements at a time, of 512 queries at most, and no query is answered before its own', async () => {
  const { world, asked, answerOne } = slowDatabase()
  let stored = 0
  const all = Array.from({ length: 2 + 512 + 1 }, async (_, index) => {
    await world.rememberNonce(`MCH${index}`, `n${index}`)
    stored += 1
  })
  expect(asked).toEqual([1, 1])
  await answerOne()
  expect([asked, stored]).toEqual([[1, 1, 512], 1])
  await answerOne()
  expect([asked, stored]).toEqual([[1, 1, 512, 1], 2])
  await answerOne()
  await answerOne()
  await Promise.all(all)
})
