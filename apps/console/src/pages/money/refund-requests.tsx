/** Refunds above an amount, which wait for a second person. */
import type { RefundMade, RefundRequestRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button } from 'antd'
import { call, queries, session } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { Mono, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderLink } from '../orders/orders.tsx'

const PATH = 'refund-requests'

export function RefundRequests() {
  const { t } = usePreferences()
  return (
    <ListPage<RefundRequestRow>
      title="refundRequests"
      path={PATH}
      filters={useMerchantFilter()}
      actions={() => <p className="note">{t('refundRequestsSay')}</p>}
      keyOf={(row) => `${row.mch_no}/${row.mch_refund_no}`}
      columns={[
        { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
        { text: 'mchRefundNo', show: (row) => <Mono>{row.mch_refund_no}</Mono> },
        { text: 'amount', show: (row) => yuan(row.amount) },
        { text: 'reason', show: (row) => row.reason, isText: true },
        { text: 'askedBy', show: (row) => row.asked_by },
        { text: 'at', show: (row) => when(row.asked_at) },
        { text: 'action', show: (row) => <Decide of={row} /> },
      ]}
    />
  )
}

/** The user who asked for the refund can only give it up. Other users can also confirm it. */
function Decide({ of }: { of: RefundRequestRow }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const { data: who } = useQuery(session)
  const path = `${PATH}/${of.mch_no}/${of.mch_refund_no}`
  const decide = useMutation({
    mutationFn: (method: 'POST' | 'DELETE') => call<Partial<RefundMade>>(method, path),
    onSettled: () => queries.invalidateQueries({ queryKey: [PATH] }),
    onError: (error) => void message.error(says(error)),
  })
  if (who?.permissions.includes('refunds.create') !== true) return null
  const ask = (method: 'POST' | 'DELETE', title: string): void => {
    const onOk = () => decide.mutateAsync(method).catch(() => {})
    void modal.confirm({ title: `${title}: ${yuan(of.amount)}`, content: of.reason, okText: title, onOk })
  }
  return (
    <div className="buttons">
      {!of.is_own && (
        <Button size="small" type="primary" onClick={() => ask('POST', t('confirmRefund'))}>
          {t('confirmRefund')}
        </Button>
      )}
      <Button size="small" onClick={() => ask('DELETE', t('dropRefund'))}>
        {t('dropRefund')}
      </Button>
    </div>
  )
}
