/**
 * Reconciliation: the differences between the upstreams' bills and our books, payments that belong to no attempt of ours, and
 * settling both by hand.
 */
import type { DifferenceRow, ReconciliationRow, UnmatchedRow } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { App, Button, Input, Modal } from 'antd'
import { useState } from 'react'
import type { Values } from '../../address.ts'
import { call, queries, session } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { type Filter, useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { Mono, State, useSays } from '../../parts.tsx'
import { type TextKey, usePreferences } from '../../preferences.tsx'
import { CHANNELS, Channel, OrderLink } from '../orders/orders.tsx'

const DIFFERENCES = '/reconciliations/differences'
const LISTS: [string, TextKey][] = [
  ['/reconciliations', 'reconciliations'],
  [DIFFERENCES, 'differences'],
  ['/reconciliations/unmatched-payments', 'unmatchedPayments'],
]

/** Links between the three lists, with the same merchant. */
function Others({ than, values: { mch_no } }: { than: TextKey; values: Values }) {
  const { t } = usePreferences()
  const others = LISTS.filter(([, text]) => text !== than)
  return (
    <p className="buttons">
      {others.map(([to, text]) => (
        <Link key={to} to={to as never} search={(mch_no ? { mch_no } : {}) as never}>
          {t(text)}
        </Link>
      ))}
    </p>
  )
}

const SETTLED: Filter = { name: 'settled', text: 'unsettledOnly', options: ['false', 'true'], prefix: 'settled_' }

type Counted = Pick<ReconciliationRow, 'mch_no' | 'channel' | 'day' | 'differences' | 'unsettled'>

/** The number of a day's differences and how many of them are not settled, with a link to them. */
export function DifferencesLink({ of: { mch_no, channel, day, differences, unsettled } }: { of: Counted }) {
  const { t } = usePreferences()
  if (differences === 0) return <>0</>
  const text = `${differences} (${t('unsettledCount')} ${unsettled})`
  return (
    <Link
      to={DIFFERENCES as never}
      search={{ mch_no, channel, day } as never}
      aria-label={`${text} ${day} ${mch_no} ${channel}`}
    >
      {text}
    </Link>
  )
}

export function Reconciliations() {
  return (
    <ListPage<ReconciliationRow>
      title="reconciliations"
      path="reconciliations"
      filters={useMerchantFilter()}
      actions={(values) => <Others than="reconciliations" values={values} />}
      keyOf={(row) => `${row.day}/${row.mch_no}/${row.channel}`}
      columns={[
        { text: 'day', show: (row) => row.day },
        { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
        { text: 'channel', show: (row) => <Channel of={row.channel} /> },
        { text: 'lines', show: (row) => row.lines },
        { text: 'differences', show: (row) => <DifferencesLink of={row} /> },
        { text: 'reconciledAt', show: (row) => when(row.done_at) },
      ]}
    />
  )
}

/** Who settled it and how; before that, a button for users who may settle. */
function Settled(props: { of: { settled: boolean; note: string | null; settled_by: string | null }; ask: () => void }) {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const { settled, note, settled_by } = props.of
  if (settled) return [note, settled_by].filter((part) => part !== null).join(' · ')
  if (!who?.permissions.includes('reconciliation.settle')) return null
  return (
    <Button size="small" onClick={props.ask}>
      {t('settle')}
    </Button>
  )
}

export function Differences() {
  const { word } = usePreferences()
  const [settling, setSettling] = useState<DifferenceRow | null>(null)
  return (
    <>
      <ListPage<DifferenceRow>
        title="differences"
        path="differences"
        hasFile
        filters={[
          ...useMerchantFilter(),
          { name: 'day', text: 'day', isDay: true },
          { name: 'channel', text: 'channel', options: CHANNELS },
          SETTLED,
        ]}
        actions={(values) => <Others than="differences" values={values} />}
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
            show: ({ mch_no, transaction_no, attempt_no }) =>
              transaction_no === null ? (
                <Mono>{attempt_no}</Mono>
              ) : (
                <OrderLink mch_no={mch_no} transaction_no={transaction_no} />
              ),
          },
          { text: 'ours', show: (row) => (row.ours === null ? '—' : yuan(row.ours)) },
          { text: 'theirs', show: (row) => (row.theirs === null ? '—' : yuan(row.theirs)) },
          { text: 'settled', show: (row) => <State of={`settled_${row.settled}`} /> },
          { text: 'note', show: (row) => <Settled of={row} ask={() => setSettling(row)} />, isText: true },
        ]}
      />
      {settling !== null && (
        <Settle path="differences/settle" of={settling} says="settleAsk" onClose={() => setSettling(null)} />
      )}
    </>
  )
}

export function UnmatchedPayments() {
  const { t } = usePreferences()
  const [settling, setSettling] = useState<UnmatchedRow | null>(null)
  return (
    <>
      <ListPage<UnmatchedRow>
        title="unmatchedPayments"
        path="unmatched-payments"
        hasFile
        filters={[...useMerchantFilter(), { name: 'channel', text: 'channel', options: CHANNELS }, SETTLED]}
        actions={(values) => (
          <>
            <Others than="unmatchedPayments" values={values} />
            <p className="note">{t('unmatchedPaymentsSay')}</p>
          </>
        )}
        keyOf={(row) => [row.mch_no, row.channel, row.attempt_no, row.payment_no].join('/')}
        columns={[
          { text: 'at', show: (row) => when(row.reported_at) },
          { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
          { text: 'channel', show: (row) => <Channel of={row.channel} /> },
          { text: 'attemptNo', show: (row) => <Mono>{row.attempt_no}</Mono> },
          { text: 'paymentNo', show: (row) => <Mono>{row.payment_no}</Mono> },
          { text: 'amount', show: (row) => yuan(row.amount) },
          { text: 'paidAt', show: (row) => when(row.paid_at) },
          { text: 'settled', show: (row) => <State of={`settled_${row.settled}`} /> },
          { text: 'note', show: (row) => <Settled of={row} ask={() => setSettling(row)} />, isText: true },
        ]}
      />
      {settling !== null && (
        <Settle
          path="unmatched-payments/settle"
          of={settling}
          says="settleUnmatchedAsk"
          onClose={() => setSettling(null)}
        />
      )}
    </>
  )
}

/** The queries whose answers change after settling. */
const CHANGED = ['differences', 'reconciliations', 'unmatched-payments', 'reversals', 'overview']

export function Settle({
  path,
  of,
  says: saying,
  onClose,
}: {
  path: string
  of: object
  says: TextKey
  onClose: () => void
}) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [note, setNote] = useState('')
  const settle = useMutation({
    mutationFn: () => call('POST', path, { ...of, note }),
    onSuccess: onClose,
    onError: (error) => void message.error(says(error)),
    onSettled: () => Promise.all(CHANGED.map((key) => queries.invalidateQueries({ queryKey: [key] }))),
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
      <p>{t(saying)}</p>
      <Input.TextArea
        aria-label={t('note')}
        maxLength={500}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
    </Modal>
  )
}
