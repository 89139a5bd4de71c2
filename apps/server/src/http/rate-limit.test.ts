import { beforeEach, describe, expect, it } from 'vitest'
import { type RateLimit, rateLimit } from './rate-limit.ts'

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
