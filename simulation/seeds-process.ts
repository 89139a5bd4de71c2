/** A child process of `simulate.ts`: runs its share of the seeds and sends the results to its parent. */
import { runSeeds } from './gateway/seeds.ts'

const [serverUrl = '', name = '', from = '0', step = '1', last = '0', untilMs = '0'] = process.argv.slice(2)
const isOver = (seed: number): boolean => seed > Number(last) || Date.now() >= Number(untilMs)
await runSeeds({ serverUrl, name, from: Number(from), step: Number(step), isOver }, (tally) => process.send?.(tally))
process.disconnect()
