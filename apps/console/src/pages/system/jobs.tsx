/** The stuck jobs that the overview counts, the oldest first. */
import type { StuckJobRow } from '@acopay/protocol/console'
import { when } from '../../format.ts'
import { useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { Mono } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderLink } from '../orders/orders.tsx'

export function Jobs() {
  const { t, word } = usePreferences()
  return (
    <ListPage<StuckJobRow>
      title="stuckJobs"
      path="jobs"
      filters={useMerchantFilter()}
      actions={() => <p className="note">{t('stuckJobsSay')}</p>}
      keyOf={(row) => [row.mch_no, row.kind, row.subject].join('/')}
      columns={[
        { text: 'createdAt', show: (row) => when(row.created_at) },
        { text: 'kind', show: (row) => word(row.kind) },
        { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
        { text: 'subject', show: (row) => <Mono>{row.subject}</Mono>, isText: true },
        {
          text: 'transactionNo',
          show: ({ mch_no, transaction_no }) =>
            transaction_no === null ? '—' : <OrderLink mch_no={mch_no} transaction_no={transaction_no} />,
        },
        { text: 'tries', show: (row) => row.tries },
        { text: 'dueAt', show: (row) => when(row.due_at) },
      ]}
    />
  )
}
