/** Reading and exporting the audit log. `respond.ts` writes it around each call that changes something. */

import { dayOf } from '@acopay/core'
import type { AuditList } from '@acopay/protocol/console'
import { type Audit, type AuditFilter, listAudit } from '@acopay/store/read'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type ConsoleFile, Failed, merchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'

const rowOf = (entry: Audit): AuditList['rows'][number] => ({
  audit_no: entry.auditNo,
  at: entry.at.toISOString(),
  username: entry.username,
  address: entry.address,
  action: entry.action,
  mch_no: entry.mchNo,
  subject: entry.subject,
  outcome: entry.outcome,
  detail: JSON.parse(entry.detail) as Record<string, unknown>,
  changes: JSON.parse(entry.changes) as AuditList['rows'][number]['changes'],
})

function filterOf({ caller, query, pageMax }: ConsoleCall): (AuditFilter & { limit: number }) | Failed {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const filter = {
    mchNo,
    username: read.text('username', 64),
    action: read.text('action', 64),
    ...read.times(),
    before: read.text('after', 38),
    limit: read.limit(pageMax),
  }
  return read.failed() ?? filter
}

export async function auditPage(world: World, call: ConsoleCall): Promise<AuditList | Failed> {
  const filter = filterOf(call)
  if (filter instanceof Failed) return filter
  const found = await listAudit(world.pool, filter, filter.limit + 1)
  return pageOf(found.map(rowOf), filter.limit, (row) => row.audit_no)
}

/** Entries of one read of the export. */
const EXPORT_PAGE = 500

/** Every entry of the search as JSON lines, the newest first, read page by page while the browser takes them. */
async function exported(world: World, call: ConsoleCall): Promise<ConsoleFile | Failed> {
  const filter = filterOf(call)
  if (filter instanceof Failed) return filter
  const file = `audit-${dayOf(world.now().getTime())}.jsonl`
  return { file, contentType: 'application/x-ndjson; charset=utf-8', chunks: lines(world, filter) }
}

async function* lines({ pool }: World, filter: AuditFilter): AsyncGenerator<string> {
  for (let before = filter.before; ; ) {
    const found = await listAudit(pool, { ...filter, before }, EXPORT_PAGE)
    yield found.map((entry) => `${JSON.stringify(rowOf(entry))}\n`).join('')
    if (found.length < EXPORT_PAGE) return
    before = found.at(-1)?.auditNo ?? null
  }
}

export const auditEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'audit', permission: 'audit.read', handle: auditPage },
  { method: 'GET', path: 'audit.jsonl', permission: 'audit.read', handle: exported },
]
