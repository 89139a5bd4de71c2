import { beforeEach, describe, expect, it } from 'vitest'
import { type HostHealth, hostHealth } from './host-health.ts'

let hosts: HostHealth
let nowMs: number
beforeEach(() => {
  hosts = hostHealth()
  nowMs = 0
})

const HOST = 'merchant.example'
/** How many calls may begin now. */
const free = (name = HOST): number => {
  const { perHost, free: known } = hosts.free(nowMs)
  return known.get(name) ?? perHost
}

const begin = (count: number): void => {
  for (let call = 0; call < count; call += 1) hosts.began(HOST)
}
const end = (count: number, isAcknowledged: boolean): void => {
  for (let call = 0; call < count; call += 1) {
    hosts.ended(HOST)
    hosts.judged(HOST, isAcknowledged, nowMs)
  }
}
const fail = (count: number): void => {
  begin(count)
  end(count, false)
}

describe('a host', () => {
  it('gets 32 calls at once and no more, and one more for each that ends', () => {
    expect(free()).toBe(32)
    begin(31)
    expect(free()).toBe(1)
    begin(1)
    expect(free()).toBe(0)
    hosts.ended(HOST)
    expect(free()).toBe(1)
    // No number below zero reaches the database.
    begin(2)
    expect(free()).toBe(0)
    expect(free('another.example')).toBe(32)
  })

  it('rests after twenty failures in a row, for five seconds, and then gets one call at a time', () => {
    fail(19)
    expect(free()).toBe(32)
    fail(1)
    expect(free()).toBe(0)
    nowMs = 4999
    expect(free()).toBe(0)
    nowMs = 5000
    expect(free()).toBe(1)
    begin(1)
    expect(free()).toBe(0)
    nowMs = 6000
    end(1, false)
    nowMs = 10_999
    expect(free()).toBe(0)
    nowMs = 11_000
    expect(free()).toBe(1)
  })

  it('is as good as new after one call that the merchant acknowledged', () => {
    fail(25)
    nowMs = 5000
    begin(1)
    end(1, true)
    expect(free()).toBe(32)
    fail(19)
    expect(free()).toBe(32)
  })

  it('counts failures in a row only, also while other calls are under way', () => {
    begin(1)
    fail(19)
    begin(1)
    end(1, true)
    fail(19)
    expect(free()).toBe(31)
    fail(1)
    expect(free()).toBe(0)
  })

  it('is forgotten an hour after its last rest, unless a call is under way', () => {
    fail(20)
    const known = () => [...hosts.free(nowMs).free.keys()]
    // The rest ends at 5 s.
    nowMs = 5000 + 3_600_000
    hosts.forgetOld(nowMs)
    expect(known()).toEqual([HOST])
    begin(1)
    nowMs += 1
    hosts.forgetOld(nowMs)
    expect(known()).toEqual([HOST])
    hosts.ended(HOST)
    hosts.forgetOld(nowMs)
    expect(known()).toEqual([])
    expect(free()).toBe(32)
  })
})
