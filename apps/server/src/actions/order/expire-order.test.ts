import type { Expired, Pool } from '@acopay/store'
import { beforeEach, describe, expect, it } from 'vitest'
import type { World } from '../../world.ts'
import { expireOrders } from './expire-order.ts'

const LIST = 128

let offered: number[]
let answers: Expired[][]
beforeEach(() => {
  offered = []
})

/** A world with so many lapsed orders, in whose database each list that is offered finds what `found` says. */
function worldOf(lapsed: number, found: Expired[][]): World {
  answers = [...found]
  const orders = Array.from({ length: lapsed }, (_, index) => ({
    mchNo: 'M1',
    transactionNo: `AP${index}`,
    attempts: 0,
  }))
  const query = async ({ name, values }: { name: string; values: unknown[] }) => {
    if (name !== 'expireUntouched') return { rows: orders }
    offered.push((values[7] as string[]).length)
    return { rows: (answers.shift() ?? []).map((what) => ({ what })) }
  }
  return {
    pool: { query } as unknown as Pool,
    now: () => new Date(0),
    sureNow: () => new Date(0),
    random: () => 0,
    groupOf: () => '',
    overAll: ((list) => list({ groupOf: () => '', reach: null })) satisfies World['overAll'],
    stamps: { entry: () => Buffer.alloc(32) },
  } as unknown as World
}

const all = (what: Expired, count = LIST): Expired[] => Array.from({ length: count }, () => what)

describe('a sweep over lapsed orders', () => {
  it('offers them in lists of 128, and says how many it moved', async () => {
    expect(await expireOrders(worldOf(300, [all('moved'), all('moved'), all('moved', 44)]))).toBe(300)
    expect(offered).toEqual([128, 128, 44])
  })

  it.each<Expired>(['held', 'changed'])(
    'that meets another at its first list (%s) leaves the orders to it until the next look',
    async (what) => {
      expect(await expireOrders(worldOf(300, [all(what)]))).toBe(0)
      expect(offered).toEqual([128])
    },
  )

  it('that has moved a list before it meets another reads again at once', async () => {
    expect(await expireOrders(worldOf(300, [all('moved'), all('changed')]))).toBe(128)
    expect(offered).toEqual([128, 128])
  })

  it('goes on while half of each list is its own', async () => {
    const half = [...all('moved', 64), ...all('held', 64)]
    expect(await expireOrders(worldOf(256, [half, half]))).toBe(128)
    expect(offered).toEqual([128, 128])
  })

  it('reads again at once where a few orders were closed by their merchants meanwhile', async () => {
    expect(await expireOrders(worldOf(3, [all('changed', 3)]))).toBe(3)
  })
})
