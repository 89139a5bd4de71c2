import { expect, it } from 'vitest'
import { masterKeysOf } from '../security/vault.ts'
import { buildWorld, type Parts } from './build-world.ts'
import { sureClock } from './clock.ts'
import { readConfig } from './config.ts'

/** A database that answers when the test says so. `asked` holds, for each statement, how many callers share it. */
function slowDatabase() {
  const asked: number[] = []
  const waiting: (() => void)[] = []
  const query = ({ values }: { values: unknown[] }) =>
    new Promise((resolve) => {
      asked.push(Array.isArray(values[1]) ? values[1].length : 1)
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

it('callers of one merchant are looked up in two statements at a time, and those who wait share the next one', async () => {
  const { world, asked, answerOne } = slowDatabase()
  const found = Array.from({ length: 500 }, () => world.findMerchant('MCH1'))
  expect(asked).toHaveLength(2)
  await answerOne()
  expect(asked).toHaveLength(3)
  await answerOne()
  await answerOne()
  expect(asked).toHaveLength(3)
  expect(new Set(await Promise.all(found))).toEqual(new Set([null]))
})

it('cheap closes of one merchant go in two statements at a time, of 128 callers at most', async () => {
  const { world, asked, answerOne } = slowDatabase()
  const ask = { ref: { transactionNo: 'AP1' }, nonce: 'n', entry: '{}', mac: Buffer.alloc(32) }
  const closed = Array.from({ length: 2 + 128 + 1 }, () => world.closeUntouched('MCH1', ask))
  expect(asked).toEqual([1, 1])
  await answerOne()
  expect(asked).toEqual([1, 1, 128])
  await answerOne()
  expect(asked).toEqual([1, 1, 128, 1])
  await answerOne()
  await answerOne()
  await Promise.all(closed)
})

it('nonces of queries are stored in two statements at a time, of 512 queries at most, and no query is answered before its own', async () => {
  const { world, asked, answerOne } = slowDatabase()
  let stored = 0
  const all = Array.from({ length: 2 + 512 + 1 }, async (_, index) => {
    await world.rememberNonce('MCH1', `n${index}`)
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
