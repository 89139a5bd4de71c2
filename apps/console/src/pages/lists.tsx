/** The lists that are only looked at. */
import type { AuditRow } from '@acopay/protocol/console'
import { when } from '../format.ts'
import { ListPage } from '../list-page.tsx'
import { Mono, State } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'

export function AuditLog() {
  const { word } = usePreferences()
  return (
    <ListPage<AuditRow>
      title="audit"
      path="audit"
      filters={[
        { name: 'username', text: 'username' },
        { name: 'action', text: 'action', options: ACTIONS },
        { name: 'from', text: 'fromDay', isDay: true },
        { name: 'until', text: 'untilDay', isDay: true },
      ]}
      keyOf={(row) => row.audit_no}
      columns={[
        { text: 'createdAt', show: (row) => when(row.at) },
        { text: 'username', show: (row) => row.username },
        { text: 'action', show: (row) => word(row.action) },
        { text: 'merchant', show: (row) => row.mch_no ?? '—' },
        { text: 'subject', show: (row) => <Mono>{row.subject ?? '—'}</Mono>, isText: true },
        { text: 'outcome', show: (row) => <State of={row.outcome} /> },
        { text: 'detail', show: (row) => <Mono>{JSON.stringify(row.detail)}</Mono>, isText: true },
        { text: 'address', show: (row) => row.address },
      ]}
    />
  )
}

const ACTIONS = [
  ...['session.begin', 'session.end', 'session.password', 'session.totp_on', 'session.totp_off', 'orders.close'],
  ...['refunds.create', 'notifications.resend', 'users.add', 'users.change', 'sandbox.place', 'sandbox.deed'],
]
