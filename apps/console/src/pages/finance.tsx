/** Bills, and what holding the upstreams' bills against our books has shown. */
import type { BillRow, DifferenceRow, Page, ReconciliationRow, StrayRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { App, Button, Input, Modal } from 'antd'
import { useState } from 'react'
import { call, queries, search, session } from '../api.ts'
import { when, yuan } from '../format.ts'
import { ListPage } from '../list-page.tsx'
import { Mono, Rows, State, Trouble, useSays } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { Channel, OrderLink } from './orders.tsx'

export function Bills() {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const { data: who } = useQuery(session)
  const fetchFile = useMutation({
    mutationFn: ({ mch_no, bill_day }: BillRow) => call<{ url: string }>('GET', `bills/${mch_no}/${bill_day}/link`),
    onSuccess: ({ url }) => window.location.assign(url),
    onError: (error) => void message.error(says(error)),
  })
  return (
    <ListPage<BillRow>
      title="bills"
      path="bills"
      filters={who?.mch_no === null ? [{ name: 'mch_no', text: 'merchant' }] : []}
      keyOf={(row) => `${row.bill_day}/${row.mch_no}`}
      columns={[
        { text: 'billDay', show: (row) => row.bill_day },
        { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
        { text: 'lines', show: (row) => row.lines },
        { text: 'sizeBytes', show: (row) => row.size_bytes },
        { text: 'madeAt', show: (row) => when(row.made_at) },
        {
          text: 'download',
          show: (row) =>
            row.has_file && (
              <Button
                size="small"
                onClick={() => fetchFile.mutate(row)}
                aria-label={`${t('download')} ${row.bill_day} ${row.mch_no}`}
              >
                {t('download')}
              </Button>
            ),
        },
      ]}
    />
  )
}

export function Reconciliations() {
  const { t } = usePreferences()
  return (
    <>
      <ListPage<ReconciliationRow>
        title="reconciliations"
        path="reconciliations"
        filters={[{ name: 'mch_no', text: 'merchant' }]}
        keyOf={(row) => `${row.day}/${row.mch_no}/${row.channel}`}
        columns={[
          { text: 'day', show: (row) => row.day },
          { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
          { text: 'channel', show: (row) => <Channel of={row.channel} /> },
          { text: 'lines', show: (row) => row.lines },
          { text: 'differences', show: (row) => row.differences },
          { text: 'unsettledCount', show: (row) => row.unsettled },
          { text: 'createdAt', show: (row) => when(row.done_at) },
        ]}
      />
      <h2>{t('differences')}</h2>
      <Differences />
      <h2>{t('strays')}</h2>
      <Strays />
    </>
  )
}

function Differences() {
  const { t, word } = usePreferences()
  const { mch_no } = useSearch({ strict: false }) as { mch_no?: string }
  const path = `differences${search({ mch_no })}`
  const { data, error } = useQuery({
    queryKey: ['differences', path],
    queryFn: () => call<Page<DifferenceRow>>('GET', path),
  })
  const { data: who } = useQuery(session)
  const [settling, setSettling] = useState<DifferenceRow | null>(null)
  if (error !== null) return <Trouble error={error} />
  return (
    <>
      <Rows
        label={t('differences')}
        rows={data?.rows ?? []}
        keyOf={(row) =>
          [row.mch_no, row.channel, row.day, row.kind, row.attempt_no, row.payment_no, row.refund_no].join('/')
        }
        columns={[
          { text: 'day', show: (row) => row.day },
          { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
          { text: 'channel', show: (row) => <Channel of={row.channel} /> },
          { text: 'kind', show: (row) => word(row.kind) },
          {
            text: 'transactionNo',
            show: ({ mch_no: ofMerchant, transaction_no, attempt_no }) =>
              transaction_no === null ? (
                <Mono>{attempt_no}</Mono>
              ) : (
                <OrderLink mch_no={ofMerchant} transaction_no={transaction_no} />
              ),
          },
          { text: 'ours', show: (row) => (row.ours === null ? '—' : yuan(row.ours)) },
          { text: 'theirs', show: (row) => (row.theirs === null ? '—' : yuan(row.theirs)) },
          { text: 'settled', show: (row) => <State of={`settled_${row.settled}`} /> },
          {
            text: 'note',
            show: (row) => [row.note, row.settled_by].filter((part) => part !== null).join(' · '),
            isText: true,
          },
          {
            text: 'deeds',
            show: (row) =>
              !row.settled &&
              who?.permissions.includes('reconciliation.settle') && (
                <Button size="small" onClick={() => setSettling(row)}>
                  {t('settle')}
                </Button>
              ),
          },
        ]}
      />
      {settling !== null && <Settle row={settling} onClose={() => setSettling(null)} />}
    </>
  )
}

function Settle({ row, onClose }: { row: DifferenceRow; onClose: () => void }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [note, setNote] = useState('')
  const settle = useMutation({
    mutationFn: () => call('POST', 'differences/settle', { ...row, note }),
    onSuccess: onClose,
    onError: (error) => void message.error(says(error)),
    onSettled: () =>
      Promise.all(['differences', 'reconciliations'].map((key) => queries.invalidateQueries({ queryKey: [key] }))),
  })
  return (
    <Modal
      open
      title={t('settle')}
      okText={t('settle')}
      okButtonProps={{ disabled: note.trim() === '' }}
      confirmLoading={settle.isPending}
      onOk={() => settle.mutate()}
      onCancel={onClose}
    >
      <p>{t('settleAsk')}</p>
      <Input.TextArea
        aria-label={t('note')}
        maxLength={500}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
    </Modal>
  )
}

function Strays() {
  const { t } = usePreferences()
  const { data, error } = useQuery({ queryKey: ['strays'], queryFn: () => call<Page<StrayRow>>('GET', 'strays') })
  if (error !== null) return <Trouble error={error} />
  return (
    <Rows
      label={t('strays')}
      rows={data?.rows ?? []}
      keyOf={(row) => [row.mch_no, row.channel, row.attempt_no, row.payment_no].join('/')}
      columns={[
        { text: 'createdAt', show: (row) => when(row.heard_at) },
        { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
        { text: 'channel', show: (row) => <Channel of={row.channel} /> },
        { text: 'attemptNo', show: (row) => <Mono>{row.attempt_no}</Mono> },
        { text: 'paymentNo', show: (row) => <Mono>{row.payment_no}</Mono> },
        { text: 'amount', show: (row) => yuan(row.amount) },
        { text: 'paidAt', show: (row) => when(row.paid_at) },
      ]}
    />
  )
}
