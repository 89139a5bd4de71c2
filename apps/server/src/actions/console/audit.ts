/** The console's audit log: each entry is written before its call changes anything, and its outcome afterwards. */
import { DAY_MS } from '@acopay/core'
import { beginAudit, endAudit, forgetAudit, type NewAudit } from '@acopay/store/console'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

/** User, action, subject and details of a call. */
export type AuditEntry = Omit<NewAudit, 'auditNo' | 'outcome'>

type State = Record<string, unknown>

/** What differs, by name: before and after. */
function changesBetween(before: State, after: State): Record<string, { before: unknown; after: unknown }> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  const pairs = names.map((name) => [name, { before: before[name] ?? null, after: after[name] ?? null }] as const)
  return Object.fromEntries(pairs.filter(([, one]) => JSON.stringify(one.before) !== JSON.stringify(one.after)))
}

/** A secret as the audit log shows it: whether it is another one than before, and nothing else of it. */
export const hidden = (world: World, secret: string): string =>
  `#${world.stamps.statement(`hidden\n${secret}`).toString('hex').slice(0, 8)}`

const newAuditNo = (world: World): string => platformNumber('AL', world.now(), world.newDigits(19))

type Call<Answer> = {
  /** What the call may change. */
  stateOf: () => Promise<State>
  run: () => Promise<Answer>
  outcomeOf: (answer: Answer) => string
}

/** Runs a call between the two writes. An entry without an outcome is of a call that a crash interrupted. */
export async function audited<Answer>(world: World, entry: AuditEntry, call: Call<Answer>): Promise<Answer> {
  const auditNo = newAuditNo(world)
  await beginAudit(world.pool, { auditNo, ...entry, outcome: 'BEGUN' }, world.now(), world.stamps.audit)
  const before = await call.stateOf()
  const answer = await call.run()
  const changes = JSON.stringify(changesBetween(before, await call.stateOf()))
  const ended = { auditNo, outcome: call.outcomeOf(answer), changes }
  await endAudit(world.pool, ended, world.now(), world.stamps.audit)
  return answer
}

/** Writes an entry about what has just happened. */
export async function addAuditEntry(world: World, entry: AuditEntry, outcome: string): Promise<void> {
  await beginAudit(world.pool, { auditNo: newAuditNo(world), ...entry, outcome }, world.now(), world.stamps.audit)
}

/** Removes what is older than the retention, where one is set. Returns how many rows. */
export async function forgetOldAudit(world: World): Promise<number> {
  const { auditDays } = world.limits
  if (auditDays === 0) return 0
  const before = new Date(world.sureNow().getTime() - auditDays * DAY_MS)
  const removed = await forgetAudit(world.pool, { before, now: world.now() }, world.stamps.auditMark)
  if (removed > 0) world.log.info({ removed, before }, 'audit rows older than the retention removed')
  return removed
}
