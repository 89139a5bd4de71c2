/** The overview: what moves, what is stuck, and whether merchants and upstreams answer. */
import type { Overview, Volume } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Spin } from 'antd'
import type { ReactNode } from 'react'
import { call, search, session } from '../api.ts'
import { when, yuan } from '../format.ts'
import { Filters, useMerchantFilter, usePlace } from '../list-page.tsx'
import { Rows, Title, Trouble } from '../parts.tsx'
import { type TextKey, usePreferences } from '../preferences.tsx'
import { Chart } from './chart.tsx'

const REFRESH_MS = 15_000
const RECONCILED = '/reconciliations'
const OPEN = { settled: 'false' }

const closed = (of: Volume): number => of.closed_by_merchant + of.closed_by_expiry + of.closed_by_operator

/** Of the orders that ended, how many were paid. */
function successRate(of: Volume): string {
  const ended = of.paid + closed(of)
  return ended === 0 ? '—' : `${((100 * of.paid) / ended).toFixed(1)}%`
}

export function OverviewPage() {
  const { t, word } = usePreferences()
  const { values, filter } = usePlace()
  const { mch_no } = values
  const filters = useMerchantFilter()
  const { data: who } = useQuery(session)
  const { data, error, refetch } = useQuery({
    queryKey: ['overview', mch_no],
    queryFn: () => call<Overview>('GET', `overview${search({ mch_no })}`),
    refetchInterval: REFRESH_MS,
  })
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  if (data === undefined) return <Spin />
  const { today, yesterday, stuck, notifications } = data
  const mayReconcile = who?.permissions.includes('reconciliation.read') ?? false
  /** A figure that should be zero; a link to what it counts, of the same merchant, for those who may see that. */
  const worry = (text: TextKey, count: number, to: string | false, more: Record<string, string> = {}) => (
    <Worry text={text} count={count} to={to} search={mch_no === undefined ? more : { ...more, mch_no }} />
  )
  const tile = (text: TextKey, show: (of: Volume) => ReactNode) => (
    <div className="tile">
      <span>{t(text)}</span>
      <b>{show(today)}</b>
      <span>
        {t('yesterday')} {show(yesterday)}
      </span>
    </div>
  )
  return (
    <>
      <Title>{t('overview')}</Title>
      {filters.length > 0 && <Filters key={mch_no ?? ''} filters={filters} values={values} onChange={filter} />}
      <p className="note">{data.at === null ? t('noFigures') : `${t('figures')} ${when(data.at)}`}</p>
      <h2>{t('today')}</h2>
      <div className="tiles">
        {tile('placed', (of) => of.placed)}
        {tile('paidOrders', (of) => of.paid)}
        {tile('paidAmount', (of) => yuan(of.paid_amount))}
        {tile('successRate', successRate)}
        {tile('closedOrders', closed)}
        {tile('refundedAmount', (of) => yuan(of.refunded_amount))}
        {tile('reversedAmount', (of) => yuan(of.reversed_amount))}
      </div>

      <div className="columns">
        <section>
          <h2>{t('stuckOrders')}</h2>
          <div className="tiles">
            {worry('stuckClosing', stuck.closing + stuck.expired, '/orders', { state: 'STUCK' })}
            {worry('stuckRefunds', stuck.refunds, '/refunds', { state: 'STUCK' })}
            {worry('stuckReversals', stuck.reversals, '/reversals', { state: 'STUCK' })}
            {worry('stuckJobs', stuck.jobs, '/jobs')}
          </div>
          {stuck.oldest_at !== null && (
            <p className="note">
              {t('oldest')} {when(stuck.oldest_at)}
            </p>
          )}
        </section>
        <section>
          <h2>{t('notificationHealth')}</h2>
          <div className="tiles">
            {worry('late', notifications.late, '/notifications', { state: 'PENDING' })}
            {worry('dead', notifications.dead, '/notifications', { state: 'DEAD' })}
            <div className="tile">
              <span>{t('pendingNow')}</span>
              <b>{notifications.pending}</b>
            </div>
          </div>
        </section>
        <section>
          <h2>{t('reconciliations')}</h2>
          <div className="tiles">
            {worry('unsettled', data.unsettled_differences, mayReconcile && `${RECONCILED}/differences`, OPEN)}
            {worry('strays', data.stray_payments, mayReconcile && `${RECONCILED}/strays`, OPEN)}
          </div>
        </section>
      </div>

      <h2>{t('channelHealth')}</h2>
      <Rows
        label={t('channelHealth')}
        rows={data.channels}
        keyOf={(one) => one.channel}
        columns={[
          { text: 'channel', show: (one) => word(one.channel) },
          { text: 'attemptsOpened', show: (one) => one.attempts },
          { text: 'paidOrders', show: (one) => one.paid },
          { text: 'inDoubt', show: (one) => one.in_doubt },
        ]}
      />

      <Chart title={t('byHour')} rows={data.hours} labelOf={(from) => when(from).slice(11, 16)} />
      <Chart title={t('byDay')} rows={data.days} labelOf={(from) => when(from).slice(5, 10)} />
    </>
  )
}

function Worry(props: { text: TextKey; count: number; to: string | false; search: Record<string, string> }) {
  const { t } = usePreferences()
  const { text, count, to } = props
  const figure = <b className={count > 0 ? 'bad' : 'good'}>{count}</b>
  return (
    <div className="tile">
      <span>{t(text)}</span>
      {to === false ? (
        figure
      ) : (
        <Link to={to as never} search={props.search as never} aria-label={`${t(text)} ${count}`}>
          {figure}
        </Link>
      )}
    </div>
  )
}
