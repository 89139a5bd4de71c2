/** The console's audit log: each entry is written before its call changes anything, and gets its outcome afterwards. */
import { beginAudit, endAudit, type NewAudit } from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

/** User, action, subject and details of a call. */
export type AuditEntry = Omit<NewAudit, 'auditNo' | 'outcome'>

const newAuditNo = (world: World): string => platformNumber('AL', world.now(), world.newDigits(19))

/** Runs a call between the two writes. An entry that stays BEGUN is of a call that a crash interrupted. */
export async function audited<Answer>(
  world: World,
  entry: AuditEntry,
  run: () => Promise<Answer>,
  outcomeOf: (answer: Answer) => string,
): Promise<Answer> {
  const auditNo = newAuditNo(world)
  await beginAudit(world.pool, { auditNo, ...entry, outcome: 'BEGUN' }, world.now())
  const answer = await run()
  await endAudit(world.pool, auditNo, outcomeOf(answer))
  return answer
}

/** Writes an entry about what has just happened. */
export async function addAuditEntry(world: World, entry: AuditEntry, outcome: string): Promise<void> {
  await beginAudit(world.pool, { auditNo: newAuditNo(world), ...entry, outcome }, world.now())
}
