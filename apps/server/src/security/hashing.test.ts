import { scryptSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { HashingBusy, type HashingPlace, hashing } from './hashing.ts'

/** Costs a thousandth of a real one. */
const ask = (password: string) => ({ password, salt: Buffer.from('salt'), bytes: 32, cost: { N: 16, r: 1, p: 1 } })
const right = (password: string): string => scryptSync(password, 'salt', 32, { N: 16, r: 1, p: 1 }).toString('hex')

describe('hashes', () => {
  it('are made one after the other, in the order in which they were asked for', async () => {
    const { takePlace } = hashing()
    const ended: string[] = []
    const made = await Promise.all(
      ['a', 'b', 'c', 'd'].map(async (password) => {
        const hash = await takePlace().derive(ask(password))
        ended.push(password)
        return hash.toString('hex')
      }),
    )
    expect(made).toEqual(['a', 'b', 'c', 'd'].map(right))
    expect(ended).toEqual(['a', 'b', 'c', 'd'])
  })

  it('have nine places: the tenth caller is sent away at once, until another one leaves', () => {
    const { takePlace } = hashing()
    const places = Array.from({ length: 9 }, () => takePlace())
    expect(() => takePlace()).toThrow(HashingBusy)
    // Twice is once.
    places[3]?.leave()
    places[3]?.leave()
    takePlace()
    expect(() => takePlace()).toThrow(HashingBusy)
  })

  it('of wrong passwords are made four at once and then one every five seconds; right ones are not slowed', async () => {
    let nowMs = 0
    const pauses: { ms: number; run: () => void }[] = []
    const { takePlace } = hashing({ nowMs: () => nowMs, later: (ms, run) => void pauses.push({ ms, run }) })
    const hash = async (isRight: boolean): Promise<void> => {
      const place = takePlace()
      await place.derive(ask('a')).finally(place.leave)
      if (isRight) place.wasRight()
    }
    for (let one = 0; one < 20; one += 1) await hash(true)
    for (let one = 0; one < 4; one += 1) await hash(false)
    expect(pauses).toEqual([])
    nowMs = 1000
    const waiting = [1, 2, 3, 4, 5].map(() => hash(false))
    // The sixth would wait for 29 seconds.
    expect(() => takePlace()).toThrow(HashingBusy)
    for (const [index, ms] of [4000, 5000, 5000, 5000, 5000].entries()) {
      const pause = pauses.shift()
      expect([pause?.ms, pauses]).toEqual([ms, []])
      nowMs += ms
      pause?.run()
      await waiting[index]
    }
    // A while later there are four again.
    nowMs += 60_000
    for (let one = 0; one < 4; one += 1) await hash(false)
    expect(pauses).toEqual([])
  })

  it('of those who are known wait for no stranger and for no pause', async () => {
    const pauses: unknown[] = []
    const { takePlace } = hashing({ nowMs: () => 0, later: (ms) => void pauses.push(ms) })
    const strangers = Array.from({ length: 9 }, () => takePlace())
    const guessed: string[] = []
    for (const place of strangers) void place.derive(ask('a')).then(() => guessed.push('a'))
    expect(() => takePlace()).toThrow(HashingBusy)
    const known = Array.from({ length: 16 }, () => takePlace({ isKnown: true }))
    expect(() => takePlace({ isKnown: true })).toThrow(HashingBusy)
    await Promise.all(known.map((place) => place.derive(ask('b')).finally(place.leave)))
    // One stranger's was under way.
    expect(guessed.length).toBeLessThanOrEqual(1)
    await expect.poll(() => guessed.length).toBe(4)
    expect(pauses).toEqual([5000])
    // A known caller's password, right or wrong, is not counted with the strangers': five of them may wait now.
    for (const isRight of [false, true]) {
      const place = takePlace({ isKnown: true })
      await place.derive(ask('c')).finally(place.leave)
      if (isRight) place.wasRight()
    }
    for (const place of strangers) place.leave()
    for (let one = 0; one < 5; one += 1) takePlace()
    expect(() => takePlace()).toThrow(HashingBusy)
    expect(pauses).toEqual([5000])
  })

  it('are not made for callers who have left while they waited, and do not count as guesses', async () => {
    const pauses: number[] = []
    const { takePlace } = hashing({ nowMs: () => 0, later: (ms) => void pauses.push(ms) })
    const left = new AbortController()
    const first = takePlace().derive(ask('a'))
    const second = takePlace({ signal: left.signal }).derive(ask('b'))
    const third = takePlace().derive(ask('c'))
    left.abort()
    await expect(second).rejects.toThrow(HashingBusy)
    expect([(await first).toString('hex'), (await third).toString('hex')]).toEqual([right('a'), right('c')])
    for (let one = 0; one < 2; one += 1) await takePlace().derive(ask('d'))
    expect(pauses).toEqual([])
  })

  it('that fail do so for their own caller only', async () => {
    const { takePlace } = hashing()
    const broken: HashingPlace = takePlace()
    const wrong = broken.derive({ ...ask('a'), cost: { N: 3 } })
    const fine = takePlace().derive(ask('b'))
    await expect(wrong).rejects.toThrow()
    expect((await fine).toString('hex')).toBe(right('b'))
  })
})
