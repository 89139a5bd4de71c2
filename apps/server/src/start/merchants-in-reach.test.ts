import type { Answering, Reach } from '@acopay/store'
import { describe, expect, it, vi } from 'vitest'
import type { World } from '../world.ts'
import { listsInReach } from './merchants-in-reach.ts'

const ALL = ['one', 'other', 'third']
const NODE = 'db2:5432'

/** A database of two nodes; `lost` has the merchants of the one that does not answer. */
function cluster() {
  const is = { lost: [] as string[], isAway: false, nowMs: 0 }
  const looks: number[] = []
  const log = { error: vi.fn(), warn: vi.fn() }
  const read = async (): Promise<Answering> => {
    looks.push(is.nowMs)
    if (is.isAway) throw new Error('no coordinator')
    return { silent: is.lost.length > 0 ? [NODE] : [], mchNos: ALL.filter((one) => !is.lost.includes(one)) }
  }
  const asked: Reach[] = []
  const overAll = listsInReach({
    read,
    steadyMs: () => is.nowMs,
    log: log as unknown as World['log'],
    groupOf: (mchNo) => mchNo,
  })
  const list = (): Promise<readonly string[]> =>
    overAll(async ({ reach }) => {
      asked.push(reach)
      const found = reach ?? ALL
      if (is.isAway || found.some((one) => is.lost.includes(one))) throw new Error('a node does not answer')
      return found
    })
  const lists = (): Reach[] => asked.splice(0)
  return { is, looks, log, list, lists }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

describe('lists over all merchants', () => {
  it('cost nothing while every node answers', async () => {
    const { looks, list, lists } = cluster()
    expect([await list(), await list()]).toEqual([ALL, ALL])
    expect([lists(), looks]).toEqual([[null, null], []])
  })

  it('go over the merchants of the other nodes while one does not answer, and the log says so once, and once when it is back', async () => {
    const { is, looks, log, list, lists } = cluster()
    is.lost = ['other']
    expect(await list()).toEqual(['one', 'third'])
    expect(await list()).toEqual(['one', 'third'])
    expect(lists()).toEqual([null, ['one', 'third'], ['one', 'third']])
    is.nowMs = 5000
    await list()
    await settled()
    expect(looks).toEqual([0, 5000])
    expect(log.error.mock.calls).toEqual([
      [{ nodes: [NODE], alarm: true }, 'nodes of the database do not answer: their merchants wait'],
    ])
    expect(log.warn).not.toHaveBeenCalled()
    is.lost = []
    is.nowMs = 10_000
    expect(await list()).toEqual(['one', 'third'])
    await settled()
    expect(await list()).toEqual(ALL)
    expect(log.warn.mock.calls).toEqual([['all nodes of the database answer again']])
  })

  it('look once for all that fail at the same time, and not again for five seconds', async () => {
    const { is, looks, list } = cluster()
    is.lost = ['one']
    await Promise.all([list(), list(), list()])
    for (is.nowMs = 1000; is.nowMs < 5000; is.nowMs += 1000) await list()
    expect(looks).toEqual([0])
  })

  it('notice a second node that is lost', async () => {
    const { is, list } = cluster()
    is.lost = ['one']
    expect(await list()).toEqual(['other', 'third'])
    is.nowMs = 5001
    is.lost = ['one', 'other']
    expect(await list()).toEqual(['third'])
  })

  it('fail as they did where all nodes answer or the coordinator is away', async () => {
    const { is, looks, list, log } = cluster()
    is.isAway = true
    for (is.nowMs of [0, 1000, 5000]) await expect(list()).rejects.toThrow('a node does not answer')
    expect(looks).toEqual([0, 5000])
    expect(log.error).not.toHaveBeenCalled()
    is.isAway = false
    is.nowMs = 10_000
    expect(await list()).toEqual(ALL)
  })
})
