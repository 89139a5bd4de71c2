import { beforeEach, describe, expect, it } from 'vitest'
import { seededFaults } from './faults.ts'
import { type Books, memoryBooks, type StandInWorld } from './stand-in-world.ts'
import { type Trades, tradesOf } from './trades.ts'

const HOUR_MS = 3_600_000
const PAUSE_MS = 15_000

describe('notifications that are due', () => {
  let nowMs = 0
  let answer = { status: 500, body: '' }
  let sent: string[] = []
  let listed: string[] = []
  let stored: Books
  let trades: Trades

  const open = (books: Books): Trades => {
    const world: StandInWorld = {
      books,
      faults: seededFaults(1),
      now: () => new Date(nowMs),
      sleep: async () => {},
      async deliver(_url, _headers, body) {
        sent.push(body)
        return answer
      },
    }
    return tradesOf('wechat/1', world, {
      render: (_trade, { id }) => ({ headers: {}, body: id }),
      isHeard: ({ status }) => status === 200,
      pausesMs: [PAUSE_MS],
    })
  }
  const create = (no: string): Promise<boolean> =>
    trades.create({
      no,
      method: 'native',
      description: 'x',
      totalFen: 100,
      expireMs: HOUR_MS,
      notifyUrl: 'http://merchant/told',
      isCode: false,
      landsMs: 0,
    })

  beforeEach(async () => {
    nowMs = 1_000
    answer = { status: 500, body: '' }
    sent = []
    listed = []
    const books = memoryBooks()
    stored = {
      ...books,
      list: (prefix) => {
        listed.push(prefix)
        return books.list(prefix)
      },
    }
    trades = open(stored)
    for (const no of ['a', 'b', 'c']) await create(no)
  })

  it('are sent again after a pause, and no more after the last pause', async () => {
    await trades.control.pay('b')
    expect([sent, await trades.control.deliverDue()]).toEqual([['b-1'], 0])
    nowMs += PAUSE_MS
    expect([await trades.control.deliverDue(), sent]).toEqual([1, ['b-1', 'b-1']])
    nowMs += 1_000 * HOUR_MS
    expect(await trades.control.deliverDue()).toBe(0)
  })

  it('are not sent again after the merchant has acknowledged them', async () => {
    answer = { status: 200, body: '' }
    await trades.control.pay('b')
    nowMs += PAUSE_MS
    expect([await trades.control.deliverDue(), sent]).toEqual([0, ['b-1']])
    expect(await stored.list('wechat/1/due/')).toEqual([])
  })

  it('a second notification of a trade is sent although the first is acknowledged', async () => {
    answer = { status: 200, body: '' }
    await trades.control.pay('b')
    await trades.change('b', (trade) => {
      trade?.notices.push({ id: 'b-2', sent: 0, nextMs: nowMs + 500, isHeard: false })
    })
    expect(await trades.control.deliverDue()).toBe(0)
    nowMs += 500
    expect([await trades.control.deliverDue(), sent]).toEqual([1, ['b-1', 'b-2']])
  })

  it('are found without reading the other trades, except once for books of an earlier version', async () => {
    await trades.control.deliverDue()
    expect(listed).toEqual(['wechat/1/trade/', 'wechat/1/due/'])
    await trades.control.deliverDue()
    expect(listed.slice(2)).toEqual(['wechat/1/due/'])
  })

  it('are found in books of an earlier version, which have no index', async () => {
    await trades.control.pay('b')
    const older = memoryBooks()
    for (const trade of await stored.list('wechat/1/trade/')) {
      await older.change(`wechat/1/trade/${(trade as { no: string }).no}`, () => ({ after: trade, result: null }))
    }
    trades = open(older)
    nowMs += PAUSE_MS
    expect([await trades.control.deliverDue(), sent]).toEqual([1, ['b-1', 'b-1']])
  })
})
