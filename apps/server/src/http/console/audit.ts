/** The audit log: written by `routes.ts` around each call that changes something, read here. */
import type { AuditList } from '@acopay/protocol/console'
import { listAudit } from '@acopay/store'
import { type ConsoleEndpoint, Failed, merchantOf } from './call.ts'
import { fieldsOf } from './fields.ts'

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
        ...{ username: read.text('username', 64), action: read.text('action', 64) },
        ...{ from: read.time('from'), until: read.time('until'), before: read.text('after', 38) },
      }
      const limit = read.limit()
      const wrong = read.failed()
      if (wrong !== null) return wrong
      const found = await listAudit(world.pool, filter, limit + 1)
      const rows = found.slice(0, limit).map(({ auditNo, at, mchNo: mch_no, detail, ...row }) => ({
        ...{ audit_no: auditNo, at: at.toISOString(), mch_no, ...row },
        detail: JSON.parse(detail) as Record<string, unknown>,
      }))
      return { rows, next: found.length > limit ? (rows.at(-1)?.audit_no ?? null) : null }
    },
  },
]
