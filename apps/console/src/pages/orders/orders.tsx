/** Orders: search by any number, and a list with filters. */
import type { OrderRow } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { session } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { type Filter, RANGE, useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { type Column, Copied, Mono, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { ArchivedOfNumber } from './archived.tsx'
import { SentBackTag } from './story.tsx'

export const ORDER_STATES = ['NOTPAY', 'CLOSING', 'CLOSED', 'SUCCESS', 'REFUND'] as const
export const CHANNELS = ['wechat', 'alipay'] as const

/** A link to an order that shows its number. */
export const OrderLink = ({ mch_no, transaction_no }: { mch_no: string; transaction_no: string }) => (
  <Copied of={transaction_no}>
    <Link
      to={'/orders/$mchNo/$transactionNo' as never}
      params={{ mchNo: mch_no, transactionNo: transaction_no } as never}
    >
      <Mono>{transaction_no}</Mono>
    </Link>
  </Copied>
)

const COLUMNS: Column<OrderRow>[] = [
  { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
  {
    text: 'state',
    show: (row) => (
      <>
        <State of={row.state} /> <SentBackTag of={row} />
      </>
    ),
  },
  { text: 'amount', show: (row) => yuan(row.amount_total) },
  { text: 'description', show: (row) => row.description, isText: true },
  { text: 'mchTradeNo', show: (row) => <Mono>{row.mch_trade_no}</Mono>, isText: true },
  { text: 'channel', show: (row) => <Channel of={row.pay_channel} /> },
  { text: 'app', show: (row) => <Mono>{row.app_no}</Mono> },
  { text: 'createdAt', show: (row) => when(row.created_at) },
]

export function Channel({ of }: { of: string | null }) {
  const { word } = usePreferences()
  return of === null ? '—' : word(of)
}

export function Orders() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const filters: Filter[] = [
    { name: 'number', text: 'anyNumber' },
    { name: 'state', text: 'state', options: [...ORDER_STATES, 'STUCK'] },
    { name: 'channel', text: 'channel', options: CHANNELS },
    ...useMerchantFilter(),
    { name: 'app_no', text: 'app' },
    RANGE,
    { name: 'amount_min', text: 'amountMin' },
    { name: 'amount_max', text: 'amountMax' },
    { name: 'sent_back', text: 'sentBack', options: ['true'], prefix: 'sent_back_' },
    {
      name: 'sort',
      text: 'sortBy',
      options: ['oldest', 'amount_down', 'amount_up'],
      prefix: 'sort_',
      none: 'newestFirst',
    },
    { name: 'notified', text: 'notified', options: ['PENDING', 'DELIVERED', 'DEAD'] },
  ]
  const columns: Column<OrderRow>[] =
    who?.mch_no === null ? [...COLUMNS, { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> }] : COLUMNS
  return (
    <ListPage<OrderRow>
      title="orders"
      path="orders"
      filters={filters}
      columns={columns}
      actions={({ sort, number }) => (
        <>
          {sort !== undefined && <p className="note">{t('sortSays')}</p>}
          {number !== undefined && <ArchivedOfNumber number={number} />}
        </>
      )}
      keyOf={(row) => `${row.mch_no}/${row.transaction_no}`}
      hasFile
    />
  )
}
