/**
 * The closing line of test runs: `N passed, N failed` (and `, N skipped`). With ACOPAY_TEST_COUNTS a run appends its
 * counts to that file instead of printing them; `node scripts/closing-line.mjs FILE EXIT_CODE` prints the sums.
 */
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'

/** @typedef {{ passed: number, failed: number, skipped: number }} Counts */

/** @param {Counts} counts */
export const closingLine = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`

/** @param {Counts} counts */
export function report(counts) {
  const file = process.env.ACOPAY_TEST_COUNTS
  if (file) fs.appendFileSync(file, `${JSON.stringify(counts)}\n`)
  else process.stdout.write(`${closingLine(counts)}\n`)
}

/**
 * The sums of all runs. A step that failed without a failed test (a check, a build) counts as one failure.
 * @param {string} text what `report` appended, run by run
 * @param {number} exitCode
 * @returns {Counts}
 */
export function sums(text, exitCode) {
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const line of text.split('\n').filter((some) => some !== '')) {
    const counts = JSON.parse(line)
    total.passed += counts.passed
    total.failed += counts.failed
    total.skipped += counts.skipped
  }
  return exitCode !== 0 && total.failed === 0 ? { ...total, failed: 1 } : total
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file = '', exitCode = '0'] = process.argv.slice(2)
  process.stdout.write(`${closingLine(sums(fs.readFileSync(file, 'utf8'), Number(exitCode)))}\n`)
}
