/** The lists of refunds, reversals and notifications, and the audit log. */
import {
  AUDIT_ACTIONS,
  type AuditRow,
  type DeadLetters,
  type NotificationRow,
  type RefundRow,
  type Resent,
  type ReversalRow,
} from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { App, Button } from 'antd'
import { useState } from 'react'
import { asked, search, type Values } from '../address.ts'
import { call, queries, session } from '../api.ts'
import { changesIn } from '../audit-changes.ts'
import { when, yuan } from '../format.ts'
import { type Filter, RANGE, useMerchantFilter } from '../list-filters.tsx'
import { ListPage } from '../list-page.tsx'
import { Answer, Copied, Mono, Pair, State, useSays } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { Settle } from './money/reconciliation.tsx'
import { Tries } from './orders/order-more.tsx'
import { CHANNELS, Channel, OrderLink } from './orders/orders.tsx'

const MONEY_BACK: Filter[] = [
  { name: 'channel', text: 'channel', options: CHANNELS },
  { name: 'app_no', text: 'app' },
  RANGE,
  { name: 'amount_min', text: 'amountMin' },
  { name: 'amount_max', text: 'amountMax' },
  { name: 'sort', text: 'sortBy', options: ['oldest'], prefix: 'sort_', none: 'newestFirst' },
]

const RefundNo = ({ of }: { of: string }) => (
  <Copied of={of}>
    <Mono>{of}</Mono>
  </Copied>
)

export function Refunds() {
  const { t } = usePreferences()
  return (
    <ListPage<RefundRow>
      title="refunds"
      path="refunds"
      filters={[
        { name: 'number', text: 'anyNumber' },
        { name: 'state', text: 'state', options: ['PROCESSING', 'STUCK', 'SUCCESS', 'FAIL'], prefix: 'done_' },
        ...useMerchantFilter(),
        ...MONEY_BACK,
      ]}
      hasFile
      actions={() => (
        <p className="buttons">
          <Link to={'/refund-requests' as never}>{t('refundRequests')}</Link>
        </p>
      )}
      keyOf={(row) => row.refund_no}
      columns={[
        { text: 'refundNo', show: (row) => <RefundNo of={row.refund_no} /> },
        { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
        { text: 'channel', show: (row) => <Channel of={row.channel} /> },
        { text: 'amount', show: (row) => yuan(row.amount) },
        { text: 'state', show: (row) => <State of={row.is_stuck ? 'done_STUCK' : `done_${row.state}`} /> },
        { text: 'reason', show: (row) => row.failure ?? row.reason, isText: true },
        { text: 'createdAt', show: (row) => when(row.created_at) },
      ]}
    />
  )
}

export function Reversals() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const [settling, setSettling] = useState<ReversalRow | null>(null)
  const maySettle = who?.permissions.includes('reconciliation.settle') === true
  return (
    <>
      <ListPage<ReversalRow>
        title="reversals"
        path="reversals"
        filters={[
          { name: 'number', text: 'anyNumber' },
          { name: 'state', text: 'state', options: ['PROCESSING', 'STUCK', 'SUCCESS'], prefix: 'done_' },
          ...useMerchantFilter(),
          ...MONEY_BACK,
        ]}
        hasFile
        keyOf={(row) => row.refund_no}
        columns={[
          { text: 'refundNo', show: (row) => <RefundNo of={row.refund_no} /> },
          { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
          { text: 'channel', show: (row) => <Channel of={row.channel} /> },
          { text: 'amount', show: (row) => yuan(row.amount) },
          { text: 'state', show: (row) => <State of={row.is_stuck ? 'done_STUCK' : `done_${row.state}`} /> },
          { text: 'lastAnswer', show: (row) => <Answer of={row.last_answer} />, isText: true },
          { text: 'createdAt', show: (row) => when(row.created_at) },
          {
            text: 'actions',
            show: (row) =>
              row.is_stuck &&
              maySettle && (
                <Button size="small" onClick={() => setSettling(row)} aria-label={`${t('settle')} ${row.refund_no}`}>
                  {t('settle')}
                </Button>
              ),
          },
        ]}
      />
      {settling !== null && (
        <Settle path="reversals/settle" of={settling} says="settleReversalAsk" onClose={() => setSettling(null)} />
      )}
    </>
  )
}

export function NotificationsPage() {
  const { t, word } = usePreferences()
  const { data: who } = useQuery(session)
  const [open, setOpen] = useState<NotificationRow | null>(null)
  return (
    <>
      <ListPage<NotificationRow>
        title="notifications"
        path="notifications"
        filters={[
          { name: 'state', text: 'state', options: ['PENDING', 'DELIVERED', 'DEAD'] },
          ...useMerchantFilter(),
          { name: 'transaction_no', text: 'transactionNo' },
          RANGE,
        ]}
        hasFile
        keyOf={(row) => `${row.transaction_no}/${row.seq}`}
        actions={(values) =>
          values.state === 'DEAD' &&
          who?.permissions.includes('notifications.resend') && (
            <ResendDead values={values} isChosen={Boolean(who.mch_no ?? values.mch_no ?? values.transaction_no)} />
          )
        }
        columns={[
          { text: 'createdAt', show: (row) => when(row.created_at) },
          { text: 'kind', show: (row) => word(row.kind) },
          { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
          { text: 'state', show: (row) => <State of={row.state} /> },
          { text: 'url', show: (row) => row.url, isText: true },
          { text: 'lastAnswer', show: (row) => row.failure ?? row.http_status ?? '—', isText: true },
          { text: 'nextAt', show: (row) => when(row.next_at) },
          {
            text: 'tries',
            show: (row) => (
              <Button
                size="small"
                onClick={() => setOpen(row)}
                aria-label={`${t('tries')} ${row.tries} · ${row.transaction_no}`}
              >
                {row.tries}
              </Button>
            ),
          },
        ]}
      />
      {open !== null && <Tries of={open} onClose={() => setOpen(null)} />}
    </>
  )
}

/** Sends the notifications that the filters choose again. Asks first, with their count and their merchant. */
function ResendDead({ values, isChosen }: { values: Values; isChosen: boolean }) {
  const { t } = usePreferences()
  const { modal, message } = App.useApp()
  const says = useSays()
  const { mch_no, transaction_no, from, until } = asked(values)
  const onError = (error: unknown): void => void message.error(says(error))
  const resend = useMutation({
    mutationFn: (letters: DeadLetters) => {
      const chosen = { mch_no: letters.mch_no, transaction_no, from, until }
      return call<Resent>('POST', 'notifications/resend', { ...chosen, dead: true })
    },
    onSuccess: ({ resent }) => void message.info(`${t('resent')} ${resent}`),
    onError,
    onSettled: () => queries.invalidateQueries({ queryKey: ['notifications'] }),
  })
  const count = useMutation({
    mutationFn: () => call<DeadLetters>('GET', `notifications/dead${search({ mch_no, transaction_no, from, until })}`),
    onSuccess: (letters) => {
      if (letters.count === 0) return void message.info(t('nothing'))
      const onOk = () => resend.mutateAsync(letters).catch(() => {})
      void modal.confirm({ title: t('resendDead'), content: content(letters), okText: t('resend'), onOk })
    },
    onError,
  })
  const content = (letters: DeadLetters) => (
    <>
      <p>{t('resendDeadAsk')}</p>
      <dl className="pairs">
        <Pair text={t('merchant')}>{letters.mch_no}</Pair>
        {transaction_no && <Pair text={t('transactionNo')}>{transaction_no}</Pair>}
        {values.from && <Pair text={t('fromDay')}>{values.from}</Pair>}
        {values.until && <Pair text={t('untilDay')}>{values.until}</Pair>}
        <Pair text={t('howMany')}>
          {letters.count} {letters.has_more && t('resendDeadMore')}
        </Pair>
      </dl>
    </>
  )
  return (
    <div className="buttons">
      <Button onClick={() => count.mutate()} disabled={!isChosen} loading={count.isPending || resend.isPending}>
        {t('resendDead')}
      </Button>
      {!isChosen && <span className="note">{t('resendNeedsMerchant')}</span>}
    </div>
  )
}

function Changes({ of }: { of: AuditRow }) {
  const { t, word, labelOf } = usePreferences()
  const words = { labelOf, word, on: t('yes'), off: t('no'), notSet: t('notSet') }
  return (
    <ul className="plain">
      {changesIn(of.changes, words).map(({ what, before, after }) => (
        <li key={what}>
          {what}: {before} → {after}
        </li>
      ))}
    </ul>
  )
}

export function AuditLog() {
  const { t, word } = usePreferences()
  return (
    <ListPage<AuditRow>
      title="audit"
      path="audit"
      filters={[
        { name: 'username', text: 'username' },
        { name: 'action', text: 'action', options: AUDIT_ACTIONS },
        ...useMerchantFilter(),
        RANGE,
      ]}
      hasFile
      keyOf={(row) => row.audit_no}
      columns={[
        { text: 'at', show: (row) => when(row.at) },
        { text: 'username', show: (row) => row.username },
        { text: 'action', show: (row) => word(row.action) },
        { text: 'merchant', show: (row) => row.mch_no ?? '—' },
        { text: 'subject', show: (row) => <Mono>{row.subject ?? '—'}</Mono>, isText: true },
        { text: 'outcome', show: (row) => <State of={row.outcome} /> },
        { text: 'detail', show: (row) => <Mono>{JSON.stringify(row.detail)}</Mono>, isText: true },
        { text: 'changes', show: (row) => <Changes of={row} />, isText: true },
        { text: 'address', show: (row) => row.address },
      ]}
      actions={(values) => (
        <p>
          <a href={`/console/api/audit.jsonl${search(asked(values))}`} download>
            {t('exportAudit')}
          </a>
        </p>
      )}
    />
  )
}
