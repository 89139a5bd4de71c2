/** What the search box of the header finds: some of everything that has the text as a number, a part of one, an amount or a name. */
import type { Found, MerchantRow, NotificationRow, OrderRow, RefundRow, ReversalRow } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { useSearch } from '@tanstack/react-router'
import { Spin } from 'antd'
import type { ReactNode } from 'react'
import { search, type Values } from '../address.ts'
import { call } from '../api.ts'
import { when, yuan } from '../format.ts'
import { type Column, Mono, Rows, State, Title, Trouble } from '../parts.tsx'
import { type TextKey, usePreferences } from '../preferences.tsx'
import { MerchantLink } from './merchants/merchants.tsx'
import { ArchivedOrders } from './orders/archived.tsx'
import { OrderLink } from './orders/orders.tsx'

const ORDERS: Column<OrderRow>[] = [
  { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
  { text: 'state', show: (row) => <State of={row.state} /> },
  { text: 'amount', show: (row) => yuan(row.amount_total) },
  { text: 'mchTradeNo', show: (row) => <Mono>{row.mch_trade_no}</Mono>, isText: true },
  { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
  { text: 'createdAt', show: (row) => when(row.created_at) },
]
const MONEY_BACK: Column<RefundRow | ReversalRow>[] = [
  { text: 'refundNo', show: (row) => <Mono>{row.refund_no}</Mono> },
  { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
  { text: 'state', show: (row) => <State of={`done_${row.state}`} /> },
  { text: 'amount', show: (row) => yuan(row.amount) },
  { text: 'createdAt', show: (row) => when(row.created_at) },
]
const NOTIFICATIONS: Column<NotificationRow>[] = [
  { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
  { text: 'state', show: (row) => <State of={row.state} /> },
  { text: 'url', show: (row) => row.url, isText: true },
  { text: 'createdAt', show: (row) => when(row.created_at) },
]
const MERCHANTS: Column<MerchantRow>[] = [
  { text: 'merchantNo', show: (row) => <MerchantLink {...row} /> },
  { text: 'name', show: (row) => row.name, isText: true },
]

export function Find() {
  const { t } = usePreferences()
  const { text = '' } = useSearch({ strict: false }) as Values
  const { data, error, refetch } = useQuery({
    queryKey: ['find', text],
    queryFn: () => call<Found>('GET', `find${search({ text })}`),
    enabled: text !== '',
  })
  const isNothing = data !== undefined && Object.values(data).every((rows) => rows.length === 0)
  return (
    <>
      <Title>{`${t('find')} ${text}`}</Title>
      {error !== null && <Trouble error={error} retry={() => void refetch()} />}
      {error === null && data === undefined && text !== '' && <Spin />}
      {isNothing && <p className="note">{t('nothing')}</p>}
      {data !== undefined && (
        <>
          <Part title="orders" rows={data.orders} columns={ORDERS} keyOf={(row) => row.transaction_no} />
          <Part title="ofAmount" rows={data.of_amount} columns={ORDERS} keyOf={(row) => row.transaction_no} />
          <ArchivedOrders rows={data.archived} />
          <Part title="refunds" rows={data.refunds} columns={MONEY_BACK} keyOf={(row) => row.refund_no} />
          <Part title="reversals" rows={data.reversals} columns={MONEY_BACK} keyOf={(row) => row.refund_no} />
          <Part
            title="notifications"
            rows={data.notifications}
            columns={NOTIFICATIONS}
            keyOf={(row) => String(row.seq)}
          />
          <Part title="merchants" rows={data.merchants} columns={MERCHANTS} keyOf={(row) => row.mch_no} />
        </>
      )}
      <p className="note">{t('findSays')}</p>
    </>
  )
}

function Part<Row>(props: {
  title: TextKey
  rows: Row[]
  columns: Column<Row>[]
  keyOf: (row: Row) => string
}): ReactNode {
  const { t } = usePreferences()
  const { title, rows, columns, keyOf } = props
  if (rows.length === 0) return null
  return (
    <>
      <h2>{t(title)}</h2>
      <Rows label={t(title)} rows={rows} columns={columns} keyOf={keyOf} />
    </>
  )
}
