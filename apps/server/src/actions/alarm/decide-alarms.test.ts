import type { Alarm } from '@acopay/store'
import { describe, expect, it } from 'vitest'
import { decideAlarms } from './decide-alarms.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const NOW = new Date('2026-03-01T04:00:00.000Z')
const ago = (ms: number): Date => new Date(NOW.getTime() - ms)

const alarm = (more: Partial<Alarm>): Alarm => ({
  kind: 'stuck',
  subject: 'closing',
  raisedAt: ago(HOUR),
  seenAt: NOW,
  found: 1,
  examples: [],
  toldAt: ago(HOUR),
  toldFound: 1,
  flaps: 0,
  clearedAt: null,
  ...more,
})

const steps = (...open: Alarm[]): string[] =>
  decideAlarms(open, NOW).map(({ alarm: { kind }, what, isTold }) => `${kind} ${what}${isTold ? '' : ' untold'}`)

describe('a new alarm', () => {
  it('waits twenty seconds for others, and takes them along', () => {
    const fresh = alarm({ kind: 'differences', raisedAt: ago(0), toldAt: null })
    expect(steps(alarm({ raisedAt: ago(19_999), toldAt: null }), fresh)).toEqual([])
    expect(steps(alarm({ raisedAt: ago(20_000), toldAt: null }), fresh)).toEqual(['stuck raised', 'differences raised'])
  })

  it('that ended before it was told ends in silence', () => {
    expect(steps(alarm({ toldAt: null, seenAt: ago(5 * MINUTE) }))).toEqual(['stuck cleared untold'])
  })
})

describe('an alarm that lasts', () => {
  it('is told again after four hours where it wakes a person, and else after a day', () => {
    const ticket = { kind: 'differences' }
    expect(steps(alarm({ toldAt: ago(4 * HOUR - 1) }), alarm({ ...ticket, toldAt: ago(24 * HOUR - 1) }))).toEqual([])
    expect(steps(alarm({ toldAt: ago(4 * HOUR) }), alarm({ ...ticket, toldAt: ago(24 * HOUR) }))).toEqual([
      'stuck again',
      'differences again',
    ])
  })

  it('is told at once when ten times as many are found, and no sooner than ten minutes after the last time', () => {
    expect(steps(alarm({ found: 20, toldFound: 2, toldAt: ago(10 * MINUTE) }))).toEqual(['stuck more'])
    expect(steps(alarm({ found: 19, toldFound: 2, toldAt: ago(10 * MINUTE) }))).toEqual([])
    expect(steps(alarm({ found: 20, toldFound: 2, toldAt: ago(10 * MINUTE - 1) }))).toEqual([])
  })

  it('and is an event that has not happened again since is not told again', () => {
    const event = { kind: 'alarm', toldAt: ago(5 * HOUR), seenAt: ago(HOUR - 1) }
    expect(steps(alarm(event))).toEqual(['alarm again'])
    expect(steps(alarm({ ...event, toldAt: ago(HOUR - 1) }))).toEqual([])
  })
})

describe('an alarm is over', () => {
  it('when a state was not seen for five minutes, or an event for an hour', () => {
    const [state, event] = [{ seenAt: ago(5 * MINUTE) }, { kind: 'alarm', seenAt: ago(HOUR) }]
    expect(steps(alarm(state), alarm(event))).toEqual(['stuck cleared', 'alarm cleared'])
    expect(steps(alarm({ seenAt: ago(5 * MINUTE - 1) }), alarm({ ...event, seenAt: ago(HOUR - 1) }))).toEqual([])
  })

  it('only after half an hour when it has been back before', () => {
    expect(steps(alarm({ flaps: 1, seenAt: ago(30 * MINUTE - 1) }))).toEqual([])
    expect(steps(alarm({ flaps: 1, seenAt: ago(30 * MINUTE) }))).toEqual(['stuck cleared'])
    expect(steps(alarm({ kind: 'alarm', flaps: 3, seenAt: ago(30 * MINUTE) }))).toEqual([])
  })
})

it('an alarm of a kind that this version does not know is handled as one that wakes a person', () => {
  expect(steps(alarm({ kind: 'of-tomorrow', toldAt: ago(4 * HOUR) }))).toEqual(['of-tomorrow again'])
})
