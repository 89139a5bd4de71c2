/** Prints `N passed, N failed` (and `, N skipped`) alone on the very last line of a test run; see closing-line.mjs. */
import { report } from './closing-line.mjs'

export default class ClosingLineReporter {
  counts = { passed: 0, failed: 0, skipped: 0 }

  onInit() {
    // Vitest still writes after its last event (the global set-up's end, open handles), so this waits for the exit.
    process.once('exit', () => report(this.counts))
  }

  onTestRunEnd(testModules, unhandledErrors) {
    this.counts = count(testModules, unhandledErrors.length)
  }
}

/** A file that could not be loaded has no tests, and an error outside of a test belongs to none: each is one failure. */
function count(testModules, strayErrors) {
  const counts = { passed: 0, failed: strayErrors, skipped: 0 }
  for (const testModule of testModules) {
    const before = counts.failed
    for (const { state } of Array.from(testModule.children.allTests(), (test) => test.result())) {
      if (state === 'passed' || state === 'failed') counts[state] += 1
      else counts.skipped += 1
    }
    if (testModule.state() === 'failed' && counts.failed === before) counts.failed += 1
  }
  return counts
}
