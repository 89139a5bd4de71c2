/**
 * Realistic bugs. `npm run mutants:simulator` puts them in one by one, and the simulation must find each within a bounded number
 * of seeds. A mutant that survives shows a missing check.
 */
import { CHANNELS } from './mutants/channels.ts'
import { CLOSING } from './mutants/closing.ts'
import { DRAWN_18 } from './mutants/drawn-18.ts'
import { DRAWN_19 } from './mutants/drawn-19.ts'
import { MONEY } from './mutants/money.ts'
import type { Mutant } from './mutants/mutant.ts'
import { UNSEEN } from './mutants/unseen.ts'
import { WORK } from './mutants/work.ts'

export const MUTANTS: Mutant[] = [...CLOSING, ...MONEY, ...WORK, ...UNSEEN, ...DRAWN_18, ...DRAWN_19, ...CHANNELS]
