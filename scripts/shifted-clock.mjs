/**
 * Another clock for this process, and by NODE_OPTIONS for those it starts: `new Date()` and `Date.now()` are ahead of the
 * machine's clock by ACOPAY_CLOCK_AHEAD_MS. With ACOPAY_CLOCK_SWING_MS the clock is set back by so much, and forward
 * again, twenty times a second: code that compares two readings meets a later one that is earlier.
 */
const MachineDate = globalThis.Date
const SWING_EVERY_MS = 50

/**
 * @param {number} aheadMs
 * @param {number} swingMs
 */
export function shiftClock(aheadMs, swingMs) {
  const nowMs = () => {
    const realMs = MachineDate.now()
    return realMs + aheadMs - (Math.floor(realMs / SWING_EVERY_MS) % 2) * swingMs
  }
  class ShiftedDate extends MachineDate {
    constructor(...given) {
      super(...(given.length === 0 ? [nowMs()] : given))
    }
    static now() {
      return nowMs()
    }
    // A date that another realm or an older module made is a date.
    static [Symbol.hasInstance](value) {
      return value instanceof MachineDate
    }
  }
  Object.defineProperty(ShiftedDate, 'name', { value: 'Date' })
  globalThis.Date = ShiftedDate
}

if (process.env.ACOPAY_CLOCK_AHEAD_MS !== undefined) {
  shiftClock(Number(process.env.ACOPAY_CLOCK_AHEAD_MS), Number(process.env.ACOPAY_CLOCK_SWING_MS ?? 0))
}
