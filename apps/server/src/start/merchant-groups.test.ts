import { expect, it } from 'vitest'
import { learningGroups } from './merchant-groups.ts'

const SHARDS: Record<string, string> = { one: '7', other: '7', third: '9' }

/** Answers when `answer` is called. */
function cluster() {
  const asked: string[][] = []
  let answer = (): void => {}
  let isBroken = false
  const read = async (mchNos: string[]) => {
    asked.push(mchNos)
    await new Promise<void>((resolve) => {
      answer = resolve
    })
    if (isBroken) throw new Error('not now')
    return mchNos.map((mchNo) => ({ mchNo, place: SHARDS[mchNo] as string }))
  }
  const settle = async (): Promise<void> => {
    answer()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { asked, read, settle, breakDown: (is: boolean) => (isBroken = is) }
}

it('a merchant is alone until its shard is known, and then with all of that shard', async () => {
  const { asked, read, settle } = cluster()
  const groupOf = learningGroups(read, () => 0)
  expect(['one', 'other', 'third'].map(groupOf)).toEqual(['one', 'other', 'third'])
  await settle()
  expect(groupOf('one')).toBe('shard 7')
  expect(asked).toEqual([['one']])
  groupOf('other')
  groupOf('third')
  await settle()
  await settle()
  expect(['one', 'other', 'third'].map(groupOf)).toEqual(['shard 7', 'shard 7', 'shard 9'])
})

it('a place that cannot be read is asked for again, and nobody waits for it', async () => {
  const { asked, read, settle, breakDown } = cluster()
  const groupOf = learningGroups(read, () => 0)
  breakDown(true)
  expect(groupOf('one')).toBe('one')
  await settle()
  breakDown(false)
  expect(groupOf('one')).toBe('one')
  await settle()
  expect(groupOf('one')).toBe('shard 7')
  expect(asked).toEqual([['one'], ['one']])
})

it('what is known is forgotten after a minute, since a shard may have been split', async () => {
  const { read, settle } = cluster()
  let ms = 0
  const groupOf = learningGroups(read, () => ms)
  groupOf('one')
  await settle()
  ms = 59_999
  expect(groupOf('one')).toBe('shard 7')
  ms = 60_000
  expect(groupOf('one')).toBe('one')
})

it('made-up numbers fill no more than the bound', async () => {
  const { read, settle } = cluster()
  const groupOf = learningGroups(read, () => 0)
  groupOf('one')
  await settle()
  for (let number = 0; number < 99_999; number += 1) groupOf(`no ${number}`)
  await settle()
  groupOf('no 0')
  await settle()
  expect(groupOf('one')).toBe('shard 7')
  groupOf('one too many')
  await settle()
  expect(groupOf('one')).toBe('one')
})
