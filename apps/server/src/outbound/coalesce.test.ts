import { describe, expect, it } from 'vitest'
import { coalesced } from './coalesce.ts'

type Round = { key: string; asks: number[]; answer: () => void; fail: (error: Error) => void }

/** Coalesces calls whose rounds wait until the test lets each answer (ten times the ask) or fail. */
function stepwise(options: { inFlightMax?: number; sizeMax?: number } = {}) {
  const rounds: Round[] = []
  const ask = coalesced<number, number>({
    name: 'ask',
    inFlightMax: 1,
    sizeMax: Number.POSITIVE_INFINITY,
    ...options,
    run: (key, asks) =>
      new Promise((resolve, reject) => {
        rounds.push({ key, asks, answer: () => resolve(asks.map((one) => one * 10)), fail: reject })
      }),
  })
  const asksOf = () => rounds.map(({ asks }) => asks)
  const round = (index: number): Round => {
    const found = rounds[index]
    if (found === undefined) throw new Error(`no round ${index}`)
    return found
  }
  return { ask, rounds, round, asksOf }
}

describe('callers who ask at once', () => {
  it('share the next round while one runs, and each gets its own answer', async () => {
    const { ask, round, asksOf } = stepwise()
    const asked = [1, 2, 3, 4].map((one) => ask('k', one))
    expect(asksOf()).toEqual([[1]])
    round(0).answer()
    expect(await asked[0]).toBe(10)
    expect(asksOf()).toEqual([[1], [2, 3, 4]])
    round(1).answer()
    expect(await Promise.all(asked)).toEqual([10, 20, 30, 40])
  })

  it('are never answered from a round that began before they asked', async () => {
    const { ask, round, asksOf } = stepwise()
    const first = ask('k', 1)
    const second = ask('k', 1)
    round(0).answer()
    await first
    expect(asksOf()).toEqual([[1], [1]])
    round(1).answer()
    expect(await second).toBe(10)
  })

  it('have at most `inFlightMax` rounds running', async () => {
    const { ask, round, asksOf } = stepwise({ inFlightMax: 2 })
    const asked = [1, 2, 3, 4].map((one) => ask('k', one))
    expect(asksOf()).toEqual([[1], [2]])
    round(1).answer()
    await asked[1]
    expect(asksOf()).toEqual([[1], [2], [3, 4]])
    round(0).answer()
    round(2).answer()
    expect(await Promise.all(asked)).toEqual([10, 20, 30, 40])
  })

  it('share rounds of at most `sizeMax` callers, in the order of their calls', async () => {
    const { ask, round, asksOf } = stepwise({ sizeMax: 2 })
    const asked = [1, 2, 3, 4, 5].map((one) => ask('k', one))
    for (const [index, last] of [0, 2, 4].entries()) {
      round(index).answer()
      await asked[last]
    }
    expect(asksOf()).toEqual([[1], [2, 3], [4, 5]])
  })

  it('under different keys do not wait for each other', () => {
    const { ask, rounds } = stepwise()
    void ask('one', 1)
    void ask('other', 2)
    expect(rounds.map(({ key, asks }) => [key, asks])).toEqual([
      ['one', [1]],
      ['other', [2]],
    ])
  })
})

describe('a round that fails', () => {
  it('fails for all of its callers, and for no caller of the next round', async () => {
    const { ask, round, asksOf } = stepwise()
    const asked = [1, 2, 3].map((one) => ask('k', one))
    round(0).answer()
    await asked[0]
    const next = ask('k', 4)
    round(1).fail(new Error('the database is gone'))
    const ends = await Promise.allSettled(asked)
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected'])
    for (const end of ends.slice(1)) expect(end).toMatchObject({ reason: { message: 'the database is gone' } })
    expect(asksOf()).toEqual([[1], [2, 3], [4]])
    round(2).answer()
    expect(await next).toBe(40)
  })

  it('by throwing at once does the same, and the key is free again', async () => {
    let isBroken = true
    const ask = coalesced<number, number>({
      name: 'ask',
      inFlightMax: 1,
      sizeMax: 10,
      run: (_, asks) => {
        if (isBroken) throw new Error('at once')
        return Promise.resolve(asks)
      },
    })
    await expect(ask('k', 1)).rejects.toThrow('at once')
    isBroken = false
    expect(await ask('k', 2)).toBe(2)
  })
})

it('a thousand callers over many turns all get their own answer', async () => {
  const ask = coalesced<number, number>({
    name: 'ask',
    inFlightMax: 2,
    sizeMax: 7,
    run: async (_, asks) => asks.map((one) => -one),
  })
  const asked = Array.from({ length: 1000 }, (_, one) => Promise.resolve().then(() => ask(`k${one % 3}`, one)))
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 1000 }, (_, one) => -one))
})
