import { beforeEach, describe, expect, it } from 'vitest'
import { type RateLimit, type RateShare, rateLimit, type Taken } from './rate-limit.ts'

let nowMs = 0
let limit: RateLimit
beforeEach(() => {
  nowMs = 0
  limit = rateLimit(10, () => nowMs)
})

/** How many of `asked` are let through now. */
const through = (asked: number, name = 'a', perSecond: number | null = null): number =>
  Array.from({ length: asked }, () => limit.allows(name, perSecond)).filter(Boolean).length

describe('the rate limit', () => {
  it('lets through what two seconds are worth at once, and not one more', () => {
    expect(through(100)).toBe(20)
    expect(through(1)).toBe(0)
  })

  it('says whether it is spent, and counts nothing by that', () => {
    for (let asked = 0; asked < 100; asked += 1) expect(limit.isSpent('a')).toBe(false)
    expect(through(20)).toBe(20)
    expect([limit.isSpent('a'), limit.isSpent('b')]).toEqual([true, false])
    nowMs = 100
    expect(limit.isSpent('a')).toBe(false)
    expect(rateLimit(0, () => 0).isSpent('a')).toBe(false)
  })

  it('earns as time passes: one every tenth of a second, none before that', () => {
    through(20)
    nowMs = 99
    expect(through(5)).toBe(0)
    nowMs = 100
    expect(through(5)).toBe(1)
    nowMs = 1100
    expect(through(50)).toBe(10)
  })

  it("never saves up more than two seconds' worth", () => {
    through(20)
    nowMs = 86_400_000
    expect(through(100)).toBe(20)
  })

  it('over a long time lets through what was agreed, however unevenly the asking comes', () => {
    let passed = 0
    for (nowMs = 0; nowMs < 100_000; nowMs += 7) passed += through(3)
    expect(passed).toBeGreaterThanOrEqual(1000)
    expect(passed).toBeLessThanOrEqual(1020)
  })

  it('asking while there is nothing left does not put off the next one', () => {
    through(20)
    for (nowMs = 1; nowMs < 100; nowMs += 1) expect(through(1)).toBe(0)
    nowMs = 101
    expect(through(1)).toBe(1)
  })

  it('one who asks too much takes nothing from another', () => {
    through(1000)
    expect(through(1, 'b')).toBe(1)
  })

  it("a limit of one's own counts instead of the default, and 0 is none", () => {
    expect(through(100, 'own', 3)).toBe(6)
    expect(through(1000, 'free', 0)).toBe(1000)
    limit = rateLimit(0, () => nowMs)
    expect(through(1000, 'anyone')).toBe(1000)
    expect(through(100, 'own', 1)).toBe(2)
  })

  it('a clock that is set back gives nothing away and takes nothing', () => {
    nowMs = 10_000
    through(20)
    nowMs = 0
    expect(through(1)).toBe(0)
    nowMs = 100
    expect(through(5)).toBe(1)
  })

  it('forgets the name that called longest ago when there are too many, and no other', () => {
    through(20, 'seen')
    through(20, 'idle')
    for (let name = 0; name < 49_998; name += 1) limit.allows(`n${name}`, null)
    expect(through(1, 'seen')).toBe(0)
    limit.allows('one more', null)
    expect(through(1, 'seen')).toBe(0)
    expect(through(100, 'idle')).toBe(20)
  })
})

describe('the rate limit of several processes', () => {
  /** Each message is heard by the others once it is delivered. */
  function group(processes: number, perSecond: number) {
    const listeners: ((taken: Taken) => void)[] = []
    const waiting: { from: number; taken: Taken }[] = []
    const shareOf = (from: number): RateShare => ({
      processes,
      machines: () => 1,
      tell: (taken) => void waiting.push({ from, taken }),
      hear: (listener) => {
        listeners[from] = listener
      },
    })
    const limits = Array.from({ length: processes }, (_, from) => rateLimit(perSecond, () => nowMs, shareOf(from)))
    let messages = 0
    const deliver = (): void => {
      for (const { from, taken } of waiting.splice(0)) {
        messages += 1
        for (const [to, listener] of listeners.entries()) if (to !== from) listener(taken)
      }
    }
    /** Asks each in turn, as connections come; answers how many were let through. */
    const asked = (times: number, at = (turn: number) => turn % processes): number => {
      let passed = 0
      for (let turn = 0; turn < times; turn += 1) {
        if (limits[at(turn)]?.allows('a', null)) passed += 1
        deliver()
      }
      return passed
    }
    return { limits, asked, deliver, told: () => messages }
  }

  it.each([
    [2, 1],
    [4, 5],
    [4, 1000],
    [16, 5000],
  ])(
    '%i processes with %i a second let through two seconds at once, and at most a tenth more',
    (processes, perSecond) => {
      const { asked } = group(processes, perSecond)
      const passed = asked(perSecond * 10)
      expect(passed).toBeGreaterThanOrEqual(2 * perSecond)
      expect(passed).toBeLessThanOrEqual(2.2 * perSecond)
    },
  )

  it('let one caller have the whole limit at one of them', () => {
    expect(group(4, 100).asked(1000, () => 2)).toBe(200)
  })

  it('let through what was agreed over a long time, at whichever of them the asking comes', () => {
    const { asked } = group(4, 10)
    let passed = 0
    for (nowMs = 0; nowMs < 100_000; nowMs += 7) passed += asked(3, (turn) => (turn + nowMs) % 4)
    expect(passed).toBeGreaterThanOrEqual(1000)
    expect(passed).toBeLessThanOrEqual(1025)
  })

  it('earn back what they let through in the moment before they heard of each other', () => {
    const { limits, deliver } = group(4, 10)
    const burst = limits.map(
      (limit) => Array.from({ length: 100 }, () => limit.allows('a', null)).filter(Boolean).length,
    )
    expect(burst).toEqual([20, 20, 20, 20])
    deliver()
    nowMs = 6000
    expect(limits.map((limit) => limit.allows('a', null))).toEqual([false, false, false, false])
    nowMs = 6100
    expect(limits[0]?.allows('a', null)).toBe(true)
  })

  it('say nothing of a caller that is far from its limit, and no more than ten times as many processes for a full one', () => {
    const { asked, told } = group(4, 5000)
    asked(400)
    expect(told()).toBe(0)
    asked(9600)
    expect(told()).toBe(40)
  })

  it('say nothing where there is no limit', () => {
    const { asked, told } = group(2, 0)
    asked(100)
    expect(told()).toBe(0)
  })
})
