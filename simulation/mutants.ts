/**
 * Realistic bugs. `npm run mutants:simulator` puts them in one by one, and the simulation must find each within a bounded number of
 * seeds. A mutant that survives shows a missing check.
 */
import { CLOSING } from './mutants/closing.ts'
import { MONEY } from './mutants/money.ts'
import type { Mutant } from './mutants/mutant.ts'
import { WORK } from './mutants/work.ts'

export const MUTANTS: Mutant[] = [...CLOSING, ...MONEY, ...WORK]
