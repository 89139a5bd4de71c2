import { type Channel, unknown } from '@acopay/channels'
import { beforeEach, describe, expect, it } from 'vitest'
import { circuitBreaker } from './circuit-breaker.ts'

const signal = new AbortController().signal
const REF = { attemptNo: 'AT1' }

let nowMs: number
let guard: ReturnType<typeof circuitBreaker>['guard']
beforeEach(() => {
  nowMs = 0
  guard = circuitBreaker(() => new Date(nowMs)).guard
})

/** An upstream that counts its queries and answers them as the test says. */
function upstream(query: () => ReturnType<Channel['query']>) {
  const seen = { calls: 0 }
  const channel = {
    query: () => {
      seen.calls += 1
      return query()
    },
  } as unknown as Channel
  return { seen, channel }
}

const manyTimes = (count: number, ask: () => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, () => ask()))

describe("one account's failures", () => {
  it('cause a rest after twenty in a row, and one success after the rest resets the count', async () => {
    let isSick = true
    const { seen, channel } = upstream(async () => (isSick ? unknown('HTTP 502') : { kind: 'open' }))
    const guarded = guard('M1/wechat', channel)
    for (let times = 0; times < 30; times += 1) await guarded.query(REF, signal)
    expect(seen.calls).toBe(20)
    expect(await guarded.query(REF, signal)).toEqual(unknown('resting after many failures'))

    nowMs += 5000
    await guarded.query(REF, signal)
    expect(await guarded.query(REF, signal)).toEqual(unknown('resting after many failures'))
    nowMs += 5000
    isSick = false
    for (let times = 0; times < 30; times += 1) expect((await guarded.query(REF, signal)).kind).toBe('open')
  })

  it('are counted also when the channel throws', async () => {
    const { channel } = upstream(() => Promise.reject(new Error('socket hang up')))
    expect(await guard('M1/wechat', channel).query(REF, signal)).toEqual(unknown('socket hang up'))
  })

  it('do not count for another account', async () => {
    const { channel } = upstream(async () => unknown('HTTP 502'))
    const well = upstream(async () => ({ kind: 'open' }))
    await manyTimes(20, () => guard('M1/wechat', channel).query(REF, signal))
    expect((await guard('M2/wechat', well.channel).query(REF, signal)).kind).toBe('open')
  })

  it('are still counted when its channel is made again', async () => {
    const { channel } = upstream(async () => unknown('HTTP 502'))
    await manyTimes(20, () => guard('M1/wechat', channel).query(REF, signal))
    const well = upstream(async () => ({ kind: 'open' }))
    expect((await guard('M1/wechat', well.channel).query(REF, signal)).kind).toBe('unknown')
    expect(well.seen.calls).toBe(0)
  })

  it('are remembered for ten thousand accounts, and of one more the account used longest ago is forgotten', async () => {
    const { channel } = upstream(async () => unknown('HTTP 502'))
    const well = upstream(async () => ({ kind: 'open' })).channel
    const answers = async (name: string) => (await guard(name, well).query(REF, signal)).kind
    for (const name of ['M0', 'M1']) await manyTimes(20, () => guard(name, channel).query(REF, signal))
    for (let count = 2; count < 10_000; count += 1) guard(`M${count}`, well)
    expect(await answers('M0')).toBe('unknown')
    guard('M10000', well)
    expect(await answers('M0')).toBe('unknown')
    expect(await answers('M1')).toBe('open')
  })

  it('never have more than 64 calls in flight', async () => {
    const { seen, channel } = upstream(() => new Promise(() => {}))
    const guarded = guard('M1/wechat', channel)
    for (let times = 0; times < 64; times += 1) void guarded.query(REF, signal)
    expect(await guarded.query(REF, signal)).toEqual(unknown('too many calls at once'))
    expect(seen.calls).toBe(64)
  })
})

describe('an upstream that asks for fewer requests', () => {
  it('is left alone for as long as it says, and not longer', async () => {
    const { seen, channel } = upstream(async () => ({ ...unknown('HTTP 429'), restMs: 3000 }))
    const guarded = guard('M1/wechat', channel)
    await guarded.query(REF, signal)
    nowMs += 2999
    expect((await guarded.query(REF, signal)).kind).toBe('unknown')
    expect(seen.calls).toBe(1)
    nowMs += 1
    await guarded.query(REF, signal)
    expect(seen.calls).toBe(2)
  })

  it('is not called sooner because another answer names a shorter time', async () => {
    const rests = [5000, 1000]
    const { seen, channel } = upstream(async () => ({ ...unknown('HTTP 429'), restMs: rests.shift() ?? 0 }))
    const guarded = guard('M1/wechat', channel)
    await Promise.all([guarded.query(REF, signal), guarded.query(REF, signal)])
    nowMs += 4999
    await guarded.query(REF, signal)
    expect(seen.calls).toBe(2)
  })
})
