/** Reading the audit log. `respond.ts` writes it around each call that changes something. */
import type { AuditList } from '@acopay/protocol/console'
import { type Audit, listAudit } from '@acopay/store/read'
import { type ConsoleEndpoint, Failed, merchantOf } from '../call.ts'
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
})

export const auditEndpoints: ConsoleEndpoint[] = [
  {
    method: 'GET',
    path: 'audit',
    permission: 'audit.read',
    async handle(world, { caller, query }): Promise<AuditList | Failed> {
      const read = fieldsOf(query)
      const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
      if (mchNo instanceof Failed) return mchNo
      const filter = {
        mchNo,
        username: read.text('username', 64),
        action: read.text('action', 64),
        from: read.time('from'),
        until: read.time('until'),
        before: read.text('after', 38),
      }
      const limit = read.limit()
      const wrong = read.failed()
      if (wrong !== null) return wrong
      const found = await listAudit(world.pool, filter, limit + 1)
      return pageOf(found.map(rowOf), limit, (row) => row.audit_no)
    },
  },
]
