import type { Merchant } from '@acopay/store/read'
import { expect, it } from 'vitest'
import { KEPT_MAX, KEPT_MS, knownMerchants } from './known-merchants.ts'

/** A database that is changed and answers by hand, and a clock that stands still. */
function merchants() {
  let nowMs = 5000
  let version = 1
  let absent = (mchNo: string): boolean => mchNo === 'nobody'
  const waiting: { answer: () => void; fail: () => void }[] = []
  let isByHand = false
  let reads = 0
  const known = knownMerchants({
    steadyMs: () => nowMs,
    read: (mchNo) => {
      reads += 1
      const readMs = nowMs
      const merchant = absent(mchNo) ? null : ({ mchNo, name: `v${version}` } as Merchant)
      if (!isByHand) return Promise.resolve({ merchant, readMs })
      return new Promise((resolve, reject) => {
        waiting.push({ answer: () => resolve({ merchant, readMs }), fail: () => reject(new Error('no database')) })
      })
    },
  })
  return {
    known,
    pass(ms: number): void {
      nowMs += ms
    },
    change(): void {
      version += 1
    },
    remove(): void {
      absent = () => true
    },
    byHand(): void {
      isByHand = true
    },
    waiting,
    reads: () => reads,
    nameOf: async (mchNo = 'M') => (await known.find(mchNo)).merchant?.name ?? null,
  }
}

it('a change holds a second after it at the latest: what was read before it is used at 999 ms and not at 1000 ms', async () => {
  const { known, nameOf, change, pass } = merchants()
  expect(await known.find('M')).toMatchObject({ merchant: { name: 'v1' }, isKept: false })
  change()
  pass(KEPT_MS - 1)
  expect(await known.find('M')).toMatchObject({ merchant: { name: 'v1' }, isKept: true })
  pass(1)
  expect(await nameOf()).toBe('v2')
})

it('the second counts from the moment at which the read began, not from its answer', async () => {
  const { nameOf, change, pass, byHand, waiting } = merchants()
  byHand()
  const first = nameOf()
  change()
  pass(600)
  waiting[0]?.answer()
  expect(await first).toBe('v1')
  pass(399)
  expect(await nameOf()).toBe('v1')
  pass(1)
  const second = nameOf()
  waiting[1]?.answer()
  expect(await second).toBe('v2')
})

it('callers who come while a merchant is read share that read, unless it began a second ago', async () => {
  const { nameOf, change, pass, byHand, waiting, reads } = merchants()
  byHand()
  const first = [nameOf(), nameOf()]
  pass(KEPT_MS - 1)
  first.push(nameOf())
  expect(reads()).toBe(1)
  change()
  pass(1)
  const late = nameOf()
  expect(reads()).toBe(2)
  waiting[1]?.answer()
  expect(await late).toBe('v2')
  // The slow read ends at last. Its callers get its result, and later callers do not.
  waiting[0]?.answer()
  expect(await Promise.all(first)).toEqual(['v1', 'v1', 'v1'])
  expect(await nameOf()).toBe('v2')
  expect(reads()).toBe(2)
})

it('a read that failed is not kept: all who waited hear of it, and the next caller reads again', async () => {
  const { nameOf, byHand, waiting } = merchants()
  byHand()
  const failed = [nameOf(), nameOf()]
  waiting[0]?.fail()
  for (const one of failed) await expect(one).rejects.toThrow('no database')
  const next = nameOf()
  waiting[1]?.answer()
  expect(await next).toBe('v1')
})

it('made-up numbers fill nothing: they are read each time, and push no merchant out', async () => {
  const { nameOf, reads } = merchants()
  await nameOf()
  for (let count = 0; count <= KEPT_MAX; count += 1) await nameOf('nobody')
  expect(reads()).toBe(KEPT_MAX + 2)
  await nameOf()
  expect(reads()).toBe(KEPT_MAX + 2)
})

it('no more merchants are kept than the bound: the one that was used the longest ago goes', async () => {
  const { nameOf, reads } = merchants()
  for (let count = 0; count < KEPT_MAX; count += 1) await nameOf(`M${count}`)
  await nameOf('M0')
  await nameOf('one more')
  const before = reads()
  await nameOf('M0')
  expect(reads()).toBe(before)
  await nameOf('M1')
  expect(reads()).toBe(before + 1)
})

it('a merchant that this process has changed is forgotten at once, also where a read is under way', async () => {
  const { known, nameOf, change, byHand, waiting } = merchants()
  expect(await nameOf()).toBe('v1')
  change()
  known.forget('M')
  byHand()
  const old = nameOf()
  change()
  known.forget('M')
  const now = nameOf()
  waiting[1]?.answer()
  expect(await now).toBe('v3')
  waiting[0]?.answer()
  expect(await old).toBe('v2')
  expect(await nameOf()).toBe('v3')
})

it('what is asked for as it is now is read now, and kept', async () => {
  const { known, nameOf, change, remove, reads } = merchants()
  await nameOf()
  change()
  expect(await known.read('M')).toMatchObject({ name: 'v2' })
  expect(await nameOf()).toBe('v2')
  expect(reads()).toBe(2)
  remove()
  expect(await known.read('M')).toBeNull()
  expect(await nameOf()).toBeNull()
})
