/** Cuts a failing scenario down: leaves out whatever it still fails without. */
import type { Scenario } from './scenario.ts'

/** `fails` runs a scenario and says whether the same thing breaks. */
export async function shrunk(plan: Scenario, fails: (smaller: Scenario) => Promise<boolean>): Promise<Scenario> {
  let least = plan
  for (let hasShrunk = true; hasShrunk; ) {
    hasShrunk = false
    for (const smaller of smallerOnes(least)) {
      if (!(await fails(smaller))) continue
      least = smaller
      hasShrunk = true
      break
    }
  }
  return least
}

/** Every scenario that has one thing less, the largest cuts first. */
function* smallerOnes(plan: Scenario): Generator<Scenario> {
  const { deeds, faults, ownFaults, orders } = plan
  const last = orders.length - 1
  if (last > 0) yield { ...plan, orders: orders.slice(0, last), deeds: deeds.filter(({ order }) => order !== last) }
  if (faults.length > 1) yield { ...plan, faults: [] }
  for (let half = Math.floor(deeds.length / 2); half >= 1; half = Math.floor(half / 2)) {
    for (let from = 0; from < deeds.length; from += half) {
      yield { ...plan, deeds: [...deeds.slice(0, from), ...deeds.slice(from + half)] }
    }
  }
  for (const fault of faults) yield { ...plan, faults: faults.filter((one) => one !== fault) }
  for (const fault of ownFaults) yield { ...plan, ownFaults: ownFaults.filter((one) => one !== fault) }
}
