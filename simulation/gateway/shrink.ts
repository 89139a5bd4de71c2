/** Cuts a failing scenario down: leaves out every operation, fault and order that it does not need to fail. */
import type { Scenario } from './scenario.ts'

/** `fails` runs a scenario and says whether the same invariant breaks. */
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

/** The scenarios that are one cut smaller, the largest cuts first. */
function* smallerOnes(plan: Scenario): Generator<Scenario> {
  const { operations, faults, ownFaults, orders } = plan
  const last = orders.length - 1
  if (last > 0)
    yield { ...plan, orders: orders.slice(0, last), operations: operations.filter(({ order }) => order !== last) }
  if (faults.length > 1) yield { ...plan, faults: [] }
  for (let half = Math.floor(operations.length / 2); half >= 1; half = Math.floor(half / 2)) {
    for (let from = 0; from < operations.length; from += half) {
      yield { ...plan, operations: [...operations.slice(0, from), ...operations.slice(from + half)] }
    }
  }
  for (const fault of faults) yield { ...plan, faults: faults.filter((one) => one !== fault) }
  for (const fault of ownFaults) yield { ...plan, ownFaults: ownFaults.filter((one) => one !== fault) }
}
