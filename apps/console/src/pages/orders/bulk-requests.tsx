/** What many orders got; and operations for many orders that wait for a second person. */
import type { BulkDone, BulkRequestList, BulkRequestRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { call, queries, session } from '../../api.ts'
import { when } from '../../format.ts'
import { Rows, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderLink } from './orders.tsx'

export const BULK_REQUESTS = 'bulk/requests'

export function BulkResults({ rows }: Pick<BulkDone, 'rows'>) {
  const { t, word } = usePreferences()
  return (
    <>
      <h2>{t('outcome')}</h2>
      <Rows
        label={t('outcome')}
        rows={rows}
        keyOf={(row) => `${row.mch_no}/${row.transaction_no}`}
        columns={[
          { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
          {
            text: 'outcome',
            show: (row) => (row.outcome === null ? `${t('resent')} ${row.resent}` : word(`close_${row.outcome}`)),
            isText: true,
          },
        ]}
      />
    </>
  )
}

/** Nothing where nothing waits. */
export function BulkRequests() {
  const { t } = usePreferences()
  const { data } = useQuery({
    queryKey: [BULK_REQUESTS],
    queryFn: () => call<BulkRequestList>('GET', BULK_REQUESTS),
  })
  if (data === undefined || data.rows.length === 0) return null
  return (
    <>
      <h2>{t('bulkRequests')}</h2>
      <p className="note">{t('bulkRequestsSay')}</p>
      <Rows
        label={t('bulkRequests')}
        rows={data.rows}
        keyOf={(row) => row.request_no}
        columns={[
          { text: 'action', show: (row) => `${t(row.operation)} · ${row.orders.length}` },
          { text: 'transactionNo', show: (row) => <Orders of={row} /> },
          { text: 'askedBy', show: (row) => row.asked_by },
          { text: 'at', show: (row) => when(row.asked_at) },
          { text: 'actions', show: (row) => <Decide of={row} /> },
        ]}
      />
    </>
  )
}

const Orders = ({ of }: { of: BulkRequestRow }) => (
  <details>
    <summary>{of.orders[0]?.transaction_no}</summary>
    <ul className="plain">
      {of.orders.map((one) => (
        <li key={`${one.mch_no}/${one.transaction_no}`}>
          <OrderLink {...one} />
        </li>
      ))}
    </ul>
  </details>
)

/** Who asked can only give it up. Other users can also confirm it. */
function Decide({ of }: { of: BulkRequestRow }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const { data: who } = useQuery(session)
  const decide = useMutation({
    mutationFn: (method: 'POST' | 'DELETE') => call<Partial<BulkDone>>(method, `${BULK_REQUESTS}/${of.request_no}`),
    onSuccess: (done) =>
      done.rows !== undefined &&
      void modal.info({ title: t('outcome'), content: <BulkResults rows={done.rows} />, width: 640 }),
    onSettled: () => queries.invalidateQueries({ queryKey: [BULK_REQUESTS] }),
    onError: (error) => void message.error(says(error)),
  })
  if (who?.permissions.includes('orders.close') !== true) return null
  const ask = (method: 'POST' | 'DELETE', title: string): void => {
    const onOk = () => decide.mutateAsync(method).catch(() => {})
    void modal.confirm({ title: `${title}: ${t(of.operation)} · ${of.orders.length}`, okText: title, onOk })
  }
  return (
    <div className="buttons">
      {!of.is_own && (
        <Button size="small" type="primary" onClick={() => ask('POST', t('confirmBulk'))}>
          {t('confirmBulk')}
        </Button>
      )}
      <Button size="small" onClick={() => ask('DELETE', t('dropRefund'))}>
        {t('dropRefund')}
      </Button>
    </div>
  )
}
