/** One order: where it stands and how it came there, everything that belongs to it, and what may be done now. */
import type { OrderDetail } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Alert, Button, Spin } from 'antd'
import { useState } from 'react'
import { call } from '../api.ts'
import { when, whenExactly, yuan } from '../format.ts'
import { Fact, Mono, Rows, State, Title, Trouble } from '../parts.tsx'
import { usePreferences } from '../preferences.tsx'
import { OrderButtons } from './order-buttons.tsx'
import { Evidence, Notifications } from './order-more.tsx'
import { Channel } from './orders.tsx'
import { StatePicture } from './state-picture.tsx'

const BUSY_MS = 2000
const CALM_MS = 30_000

const isBusy = (order: OrderDetail): boolean =>
  order.state === 'CLOSING' ||
  [...order.refunds, ...order.reversals].some(({ state }) => state === 'PROCESSING') ||
  order.notifications.some(({ state }) => state === 'PENDING') ||
  order.attempts.some(({ state }) => state === 'OPENING' || state === 'OPEN')

export function OrderPage() {
  const { t, word } = usePreferences()
  const { mchNo, transactionNo } = useParams({ strict: false }) as { mchNo: string; transactionNo: string }
  const path = `orders/${mchNo}/${transactionNo}`
  const found = useQuery({
    queryKey: [path],
    queryFn: () => call<OrderDetail>('GET', path),
    refetchInterval: ({ state: { data } }) => (data !== undefined && isBusy(data) ? BUSY_MS : CALM_MS),
  })
  const [isProving, setProving] = useState(false)
  const trouble = found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />
  // What was read stays on the page, and a dialogue that is open stays open.
  if (found.data === undefined) return trouble || <Spin />
  const order = found.data
  return (
    <>
      {trouble}
      <Title window={order.transaction_no}>
        <State of={order.state} /> {yuan(order.amount_total)} {order.description}
      </Title>
      {order.timeline_broken_at !== null && (
        <Alert type="error" showIcon title={`${t('chainBroken')} ${order.timeline_broken_at}`} />
      )}
      <OrderButtons order={order} path={path} />
      <dl className="facts">
        <Fact text={t('transactionNo')}>
          <Mono>{order.transaction_no}</Mono>
        </Fact>
        <Fact text={t('mchTradeNo')}>
          <Mono>{order.mch_trade_no}</Mono>
        </Fact>
        <Fact text={t('merchant')}>
          <Mono>
            {order.mch_no} / {order.app_no}
          </Mono>
        </Fact>
        <Fact text={t('createdAt')}>{when(order.created_at)}</Fact>
        <Fact text={t('timeExpire')}>{when(order.time_expire)}</Fact>
        {order.close_reason !== null && <Fact text={t('closeReason')}>{word(order.close_reason)}</Fact>}
        {order.success_time !== null && (
          <Fact text={t('paidAt')}>
            {when(order.success_time)} <Channel of={order.pay_channel} />
          </Fact>
        )}
        {order.refundable !== '0.00' && <Fact text={t('refundable')}>{yuan(order.refundable)}</Fact>}
        <Fact text={t('payer')}>{order.acoid ?? '—'}</Fact>
        <Fact text={t('notifyUrl')}>{order.notify_url ?? '—'}</Fact>
        <Fact text={t('extra')}>{order.extra ?? '—'}</Fact>
        <Fact text={t('cashier')}>
          <a href={order.cashier_url} target="_blank" rel="noreferrer">
            {t('openCashier')}
          </a>
        </Fact>
      </dl>

      <h2>{t('wayTaken')}</h2>
      <StatePicture order={order} />

      <h2>{t('timeline')}</h2>
      <Timeline order={order} />
      {order.state === 'CLOSED' && <Button onClick={() => setProving(true)}>{t('evidence')}</Button>}
      {isProving && <Evidence path={path} onClose={() => setProving(false)} />}

      <Parts order={order} />
      <h2>{t('notifications')}</h2>
      <Notifications order={order} />
      {order.jobs.length > 0 && (
        <>
          <h2>{t('jobs')}</h2>
          <Rows
            label={t('jobs')}
            rows={order.jobs}
            keyOf={(one) => one.kind + one.subject}
            columns={[
              { text: 'kind', show: (one) => word(one.kind) },
              { text: 'subject', show: (one) => <Mono>{one.subject}</Mono> },
              { text: 'dueAt', show: (one) => when(one.due_at) },
              { text: 'tries', show: (one) => one.tries },
            ]}
          />
        </>
      )}
    </>
  )
}

function Timeline({ order }: { order: OrderDetail }) {
  const { word } = usePreferences()
  const broken = order.timeline_broken_at ?? Number.POSITIVE_INFINITY
  return (
    <ol className="timeline">
      {order.timeline.map((one) => (
        <li key={one.seq} className={one.seq >= broken ? 'broken' : ''}>
          <div>
            <b>{word(one.event)}</b> → {word(one.to)} <span className="note">{whenExactly(one.at)}</span>
          </div>
          <Details of={one.detail} />
          <div className="mono note" title={one.hash}>
            #{one.seq} {one.hash.slice(0, 16)}…
          </div>
        </li>
      ))}
    </ol>
  )
}

/** What an entry says beyond its event; what an upstream said, line by line. */
function Details({ of }: { of: Record<string, unknown> }) {
  const { word } = usePreferences()
  const { said, closeReason, ...rest } = of as { said?: Record<string, string>[]; closeReason?: string }
  const shown = (value: unknown): string => {
    if (typeof value !== 'string') return JSON.stringify(value)
    return /^\d{4}-\d\d-\d\dT/.test(value) ? when(value) : word(value)
  }
  const given = Object.entries(rest).filter(([, value]) => value !== null && value !== undefined)
  return (
    <>
      <div className="note">
        {typeof closeReason === 'string' && `${word(closeReason)} `}
        {given.map(([name, value]) => `${word(name)}: ${[value].flat().map(shown).join('、')}`).join('，')}
      </div>
      {said?.map(({ at, attemptNo, channel, verb, says }) => (
        <div key={`${at}${attemptNo}${verb}`} className="note">
          {word(channel ?? '')} {word(verb ?? '')} → {word(says ?? '')} <Mono>{attemptNo}</Mono>
        </div>
      ))}
    </>
  )
}

function Parts({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  return (
    <>
      <h2>{t('attempts')}</h2>
      <Rows
        label={t('attempts')}
        rows={order.attempts}
        keyOf={(one) => one.attempt_no}
        columns={[
          { text: 'attemptNo', show: (one) => <Mono>{one.attempt_no}</Mono> },
          { text: 'channel', show: (one) => `${word(one.channel)} ${one.method}` },
          { text: 'state', show: (one) => <State of={one.state} /> },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          { text: 'changedAt', show: (one) => when(one.changed_at) },
          { text: 'watchedUntil', show: (one) => when(one.watched_until) },
          { text: 'lastAnswer', show: (one) => one.last_answer ?? '—', isText: true },
        ]}
      />
      <h2>{t('payments')}</h2>
      <Rows
        label={t('payments')}
        rows={order.payments}
        keyOf={(one) => one.attempt_no + one.payment_no}
        columns={[
          { text: 'paymentNo', show: (one) => <Mono>{one.payment_no}</Mono> },
          { text: 'channel', show: (one) => <Channel of={one.channel} /> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'fate', show: (one) => <State of={one.fate} /> },
          { text: 'paidAt', show: (one) => when(one.paid_at) },
          { text: 'bookedAt', show: (one) => when(one.booked_at) },
        ]}
      />
      <h2>{t('refunds')}</h2>
      <Rows
        label={t('refunds')}
        rows={order.refunds}
        keyOf={(one) => one.refund_no}
        columns={[
          { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
          { text: 'mchRefundNo', show: (one) => <Mono>{one.mch_refund_no}</Mono> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
          { text: 'reason', show: (one) => one.reason, isText: true },
          { text: 'lastAnswer', show: (one) => one.failure ?? one.last_answer ?? '—', isText: true },
          { text: 'createdAt', show: (one) => when(one.created_at) },
        ]}
      />
      <h2>{t('reversals')}</h2>
      <Rows
        label={t('reversals')}
        rows={order.reversals}
        keyOf={(one) => one.refund_no}
        columns={[
          { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
          { text: 'paymentNo', show: (one) => <Mono>{one.payment_no}</Mono> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
          { text: 'lastAnswer', show: (one) => one.last_answer ?? '—', isText: true },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          { text: 'changedAt', show: (one) => when(one.changed_at) },
        ]}
      />
    </>
  )
}
