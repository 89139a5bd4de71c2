/** `npm run model-check`: checks the model exhaustively at its full bounds and prints the counts of states. */
import { check } from './check.ts'

/** No money sent back from outside, and no second payment under one attempt's number. */
const NO_MORE = { outsideReturns: 0, secondPayments: 0 }

const BOUNDS = [
  { attempts: 1, closes: 2, crashes: 2, webhooks: 2, refunds: 0, ...NO_MORE },
  { attempts: 2, closes: 2, crashes: 1, webhooks: 1, refunds: 0, ...NO_MORE },
  { attempts: 2, closes: 2, crashes: 2, webhooks: 2, refunds: 0, ...NO_MORE },
  { attempts: 1, closes: 2, crashes: 2, webhooks: 2, refunds: 1, ...NO_MORE },
  { attempts: 1, closes: 1, crashes: 1, webhooks: 1, refunds: 2, ...NO_MORE },
  // The merchant does not close: the order expires, and the job closes its attempts.
  { attempts: 2, closes: 0, crashes: 0, webhooks: 1, refunds: 1, ...NO_MORE },
  { attempts: 1, closes: 1, crashes: 1, webhooks: 1, refunds: 1, outsideReturns: 1, secondPayments: 1 },
  { attempts: 2, closes: 1, crashes: 1, webhooks: 1, refunds: 0, outsideReturns: 1, secondPayments: 1 },
]

for (const bounds of BOUNDS) {
  const started = performance.now()
  const { states, transitions, violation } = check(bounds)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${JSON.stringify(bounds)}: ${states} states, ${transitions} transitions, ${seconds} s`)
  if (violation === null) continue
  console.log(`${violation.invariant}\n${violation.story.map((line) => `  ${line}`).join('\n')}`)
  process.exit(1)
}
console.log('no invariant is broken in any state')
