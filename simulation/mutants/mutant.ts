/** A realistic bug: the text `find` occurs exactly once in the file. */
export type Mutant = { name: string; file: string; find: string; replace: string }

export const CORE = 'packages/core/src'
export const ACTIONS = 'apps/server/src/actions'
/** The simulated upstreams. These mutants change what a channel asks of an upstream. */
export const UPSTREAM = 'simulation/gateway/trade-calls.ts'
export const REFUNDS = 'simulation/gateway/refunds.ts'
