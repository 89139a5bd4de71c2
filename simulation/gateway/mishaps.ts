/** Faults inside a gateway process: statements that fail, accounts that cannot be read, deaths in the middle of a call. */
import type { Death, Verb } from './network.ts'
import { random } from './random.ts'
import type { RunRecord } from './record.ts'
import type { OwnFault, Scenario } from './scenario.ts'

/**
 * How a statement fails. `not run`: it never reached the database. `answer lost`: it was run, and a COMMIT has committed.
 * `deadlock`: PostgreSQL ended the transaction, which may run again.
 */
export type Mishap = 'not run' | 'answer lost' | 'deadlock'

export type Mishaps = ReturnType<typeof mishapsOf>

const DEATHS_MAX = 3

export function mishapsOf(plan: Scenario, isResting: () => boolean, record: RunRecord) {
  const { count } = record
  const dice = random(plan.seed, 'mishaps')
  let deaths = 0
  const isNow = (fault: OwnFault, probability: number): boolean =>
    !isResting() && plan.ownFaults.includes(fault) && dice.isOneIn(probability)
  return {
    statement(): Mishap | null {
      if (!isNow('statement fails', 0.03)) return null
      const mishap = dice.pick(['not run', 'answer lost', 'deadlock'] as const)
      count(`fault statement fails × ${mishap}`)
      return mishap
    },
    isAccountUnreadable(): boolean {
      const isIt = isNow('account unreadable', 0.15)
      if (isIt) count('fault account unreadable × call')
      return isIt
    },
    deathAt(verb: Verb): Death | null {
      if (deaths >= DEATHS_MAX || !isNow('dies at a call', 0.15)) return null
      deaths += 1
      const when = dice.pick(['before the call', 'during the call', 'with the answer'] as const)
      count(`fault dies ${when} × ${verb}`)
      return when === 'during the call' ? { when, afterMs: dice.between(1, 300) } : { when }
    },
    isBillLate(): boolean {
      const isIt = isNow('bill late', 0.5)
      if (isIt) count('fault bill late × bill')
      return isIt
    },
    isBillForged(): boolean {
      const isIt = isNow('bill forged', 0.5)
      if (isIt) count('fault bill forged × bill')
      return isIt
    },
    /** Some work of the gateway has thrown. That is a fault, unless this run makes it throw. */
    failed(what: string): void {
      const isMade = plan.ownFaults.includes('statement fails') || plan.ownFaults.includes('account unreadable')
      if (!isMade) record.broke(`E1: nothing was wrong, and it throws: ${what}`)
    },
    /** After how long a process that died starts again. */
    restartMs: (): number => dice.between(10, 20_000),
  }
}
