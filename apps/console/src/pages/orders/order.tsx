/** One order: its state and timeline, its attempts, payments and so on, and the operations that are allowed now. */
import type { OrderDetail } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { Alert, Button, Spin } from 'antd'
import { useState } from 'react'
import { call } from '../../api.ts'
import { when, whenExactly, yuan } from '../../format.ts'
import { Fact, Mono, State, Title, Trouble } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderButtons } from './order-buttons.tsx'
import { Evidence, Notifications } from './order-more.tsx'
import { Attempts, Jobs, Payments, Refunds, Reversals } from './order-parts.tsx'
import { reloadAfterMs } from './order-polling.ts'
import { Channel } from './orders.tsx'
import { StatePicture } from './state-picture.tsx'
import { Notes, SentBackTag, Story } from './story.tsx'

export function OrderPage() {
  const { t } = usePreferences()
  const { mchNo, transactionNo } = useParams({ strict: false }) as { mchNo: string; transactionNo: string }
  const path = `orders/${mchNo}/${transactionNo}`
  const found = useQuery({
    queryKey: [path],
    queryFn: () => call<OrderDetail>('GET', path),
    refetchInterval: ({ state: { data } }) => reloadAfterMs(data),
  })
  const [isProving, setProving] = useState(false)
  const trouble = found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />
  // After a failed reload, the data of the last one stays on the page, and an open dialog stays open.
  if (found.data === undefined) return trouble || <Spin />
  const order = found.data
  return (
    <>
      {trouble}
      <Title window={order.transaction_no}>
        <State of={order.state} /> {yuan(order.amount_total)} {order.description} <SentBackTag of={order} />
      </Title>
      {order.timeline_broken_at !== null && (
        <Alert type="error" showIcon title={`${t('chainBroken')} ${order.timeline_broken_at}`} />
      )}
      <Story order={order} />
      <OrderButtons order={order} path={path} />
      <Facts order={order} />
      <Notes order={order} path={path} />

      <h2>{t('wayTaken')}</h2>
      <StatePicture order={order} />

      <h2>{t('timeline')}</h2>
      <Timeline order={order} />
      <div className="buttons">
        {order.state === 'CLOSED' && <Button onClick={() => setProving(true)}>{t('evidence')}</Button>}
        {(order.state === 'CLOSED' || order.sent_back) && (
          <Button href={`/console/api/${path}/evidence.html`} download>
            {t('evidenceFile')}
          </Button>
        )}
      </div>
      {isProving && <Evidence path={path} onClose={() => setProving(false)} />}

      <Attempts order={order} />
      <Payments order={order} />
      <Refunds order={order} />
      <Reversals order={order} />
      <h2>{t('notifications')}</h2>
      <Notifications order={order} />
      <Jobs order={order} />
    </>
  )
}

function Facts({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  return (
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

/** The entry's other fields, and one line for each answer of an upstream. */
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
