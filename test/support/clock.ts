/**
 * Loaded before each test file: with ACOPAY_TEST_CLOCK, a moment, the file begins at that moment, and so does every
 * Node process that it starts. `npm run test:clocks` sets it; see scripts/test-clocks.cjs.
 */
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const SHIFTED = path.resolve(import.meta.dirname, '../../scripts/shifted-clock.mjs')
const clock = process.env.ACOPAY_TEST_CLOCK

if (clock !== undefined) {
  // In a worker that runs several files, the machine's clock is the one that the first of them found.
  const machine = globalThis as { acopayMachineDate?: DateConstructor }
  machine.acopayMachineDate ??= Date
  globalThis.Date = machine.acopayMachineDate
  process.env.ACOPAY_CLOCK_AHEAD_MS = String(Date.parse(clock) - Date.now())
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(SHIFTED).href}`
  const { shiftClock } = await import('../../scripts/shifted-clock.mjs')
  // Importing it for the first time has shifted the clock by the variables already.
  globalThis.Date = machine.acopayMachineDate
  shiftClock(Number(process.env.ACOPAY_CLOCK_AHEAD_MS), Number(process.env.ACOPAY_CLOCK_SWING_MS ?? 0))
}
