/** One operation for many orders: numbers are pasted, the page shows what each would get, and only then does it. */
import { BULK_MAX, type BulkDone, type BulkOperation, type BulkPreview, type BulkRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { App, Button, Input, Radio } from 'antd'
import { useState } from 'react'
import { search } from '../../address.ts'
import { call, queries, session } from '../../api.ts'
import { yuan } from '../../format.ts'
import { type Column, Mono, Rows, State, Title, Trouble, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { numbersIn } from './bulk-numbers.ts'
import { BULK_REQUESTS, BulkRequests, BulkResults } from './bulk-requests.tsx'
import { OrderLink } from './orders.tsx'

type Found = BulkRow & { mch_no: string; transaction_no: string }

const isDone = (row: BulkRow): row is Found =>
  row.mch_no !== null && row.transaction_no !== null && (row.effect === 'closes' || row.effect === 'resends')

export function Bulk() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const operations = (['close', 'resend'] as const).filter((operation) =>
    who?.permissions.includes(operation === 'close' ? 'orders.close' : 'notifications.resend'),
  )
  const [operation, setOperation] = useState<BulkOperation>('close')
  const [text, setText] = useState('')
  const numbers = numbersIn(text)
  const preview = useMutation({
    mutationFn: () => call<BulkPreview>('GET', `bulk/preview${search({ operation, numbers: numbers.join(',') })}`),
  })
  const [done, setDone] = useState<BulkDone | null>(null)
  const again = (): void => {
    preview.reset()
    setDone(null)
  }
  return (
    <>
      <Title>{t('bulk')}</Title>
      <p className="note">{t('bulkSays')}</p>
      <Radio.Group
        aria-label={t('action')}
        value={operation}
        onChange={({ target }) => {
          setOperation(target.value as BulkOperation)
          again()
        }}
        options={operations.map((value) => ({ value, label: t(value) }))}
      />
      <label htmlFor="bulk-numbers" className="bulk">
        {t('bulkNumbers')} {numbers.length} / {BULK_MAX}
        <Input.TextArea
          id="bulk-numbers"
          value={text}
          rows={6}
          onChange={({ target }) => {
            setText(target.value)
            again()
          }}
        />
      </label>
      <div className="buttons">
        <Button
          type="primary"
          disabled={numbers.length === 0 || numbers.length > BULK_MAX}
          loading={preview.isPending}
          onClick={() => preview.mutate()}
        >
          {t('bulkPreview')}
        </Button>
      </div>
      {preview.error !== null && <Trouble error={preview.error} />}
      {preview.data !== undefined && done === null && (
        <Preview operation={operation} rows={preview.data.rows} onDone={setDone} />
      )}
      {done !== null &&
        (done.request_no === null ? <BulkResults rows={done.rows} /> : <p role="status">{t('bulkWaits')}</p>)}
      <BulkRequests />
    </>
  )
}

function Preview(props: { operation: BulkOperation; rows: BulkRow[]; onDone: (done: BulkDone) => void }) {
  const { operation, rows, onDone } = props
  const { t, word } = usePreferences()
  const { message, modal } = App.useApp()
  const says = useSays()
  const chosen = rows.filter(isDone)
  const orders = chosen.map(({ mch_no, transaction_no }) => ({ mch_no, transaction_no }))
  const run = useMutation({
    mutationFn: () => call<BulkDone>('POST', `bulk/${operation}`, { orders }),
    onSuccess: (done) => {
      onDone(done)
      void queries.invalidateQueries({ queryKey: [BULK_REQUESTS] })
    },
    onError: (error) => void message.error(says(error)),
  })
  const columns: Column<BulkRow>[] = [
    {
      text: 'anyNumber',
      show: (row) => (isDone(row) ? <OrderLink {...row} /> : <Mono>{row.transaction_no ?? row.number}</Mono>),
    },
    { text: 'state', show: (row) => (row.state === null ? '—' : <State of={row.state} />) },
    { text: 'amount', show: (row) => (row.amount_total === null ? '—' : yuan(row.amount_total)) },
    { text: 'bulkEffect', show: (row) => word(`effect_${row.effect}`), isText: true },
  ]
  return (
    <>
      <h2>{t('bulkPreview')}</h2>
      <Rows label={t('bulkPreview')} rows={rows} keyOf={(row) => row.number} columns={columns} />
      <div className="buttons">
        <Button
          type="primary"
          danger={operation === 'close'}
          disabled={orders.length === 0}
          loading={run.isPending}
          onClick={() =>
            void modal.confirm({
              title: `${t(operation)} · ${orders.length}`,
              content: t(operation === 'close' ? 'closeAsk' : 'resendAsk'),
              okText: t(operation),
              onOk: () => run.mutateAsync().catch(() => {}),
            })
          }
        >
          {t(operation)} · {orders.length}
        </Button>
      </div>
    </>
  )
}
