/** The overview: today's volumes, what is stuck, and whether merchants and upstreams answer. */
import type { Overview, Volume } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Alert, Spin } from 'antd'
import type { ReactNode } from 'react'
import { search } from '../../address.ts'
import { call, session } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { Filters, useMerchantFilter } from '../../list-filters.tsx'
import { usePlace } from '../../list-page.tsx'
import { Rows, Title, Trouble } from '../../parts.tsx'
import { type TextKey, usePreferences } from '../../preferences.tsx'
import { Chart } from './chart.tsx'
import { closed, successRate } from './figures.ts'

const REFRESH_MS = 15_000

export function OverviewPage() {
  const { t } = usePreferences()
  const { values, filter } = usePlace()
  const { mch_no } = values
  const filters = useMerchantFilter()
  const { data, error, refetch } = useQuery({
    queryKey: ['overview', mch_no],
    queryFn: () => call<Overview>('GET', `overview${search({ mch_no })}`),
    refetchInterval: REFRESH_MS,
  })
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  if (data === undefined) return <Spin />
  return (
    <>
      <Title>{t('overview')}</Title>
      {filters.length > 0 && <Filters key={mch_no ?? ''} filters={filters} values={values} onChange={filter} />}
      {data.clock !== null && (
        <Alert type="error" showIcon title={`${t('clockDoubt')} (${data.clock.against}: ${data.clock.ahead_s} s)`} />
      )}
      <p className="note">{data.at === null ? t('noFigures') : `${t('figures')} ${when(data.at)}`}</p>
      <h2>{t('today')}</h2>
      <Today data={data} />

      <div className="columns">
        <Stuck data={data} mch_no={mch_no} />
        <NotificationHealth data={data} mch_no={mch_no} />
        <Unsettled data={data} mch_no={mch_no} />
      </div>

      {data.alarms !== null && <OpenAlarms {...data.alarms} />}

      <h2>{t('channelHealth')}</h2>
      <ChannelHealth data={data} />

      <Chart title={t('byHour')} rows={data.hours} labelOf={(from) => when(from).slice(11, 16)} />
      <Chart title={t('byDay')} rows={data.days} labelOf={(from) => when(from).slice(5, 10)} />
    </>
  )
}

/** Each figure of today, with yesterday's below it. */
function Today({ data: { today, yesterday } }: { data: Overview }) {
  const { t } = usePreferences()
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
    <div className="tiles">
      {tile('placed', (of) => of.placed)}
      {tile('paidOrders', (of) => of.paid)}
      {tile('paidAmount', (of) => yuan(of.paid_amount))}
      {tile('successRate', successRate)}
      {tile('closedOrders', closed)}
      {tile('refundedAmount', (of) => yuan(of.refunded_amount))}
      {tile('reversedAmount', (of) => yuan(of.reversed_amount))}
    </div>
  )
}

/** `mch_no`: the merchant that the page is filtered by. */
type Part = { data: Overview; mch_no: string | undefined }

function Stuck({ data: { stuck }, mch_no }: Part) {
  const { t } = usePreferences()
  const more = { state: 'STUCK', mch_no }
  return (
    <section>
      <h2>{t('stuckOrders')}</h2>
      <div className="tiles">
        <Worry text="stuckClosing" count={stuck.closing + stuck.expired} to="/orders" search={more} />
        <Worry text="stuckRefunds" count={stuck.refunds} to="/refunds" search={more} />
        <Worry text="stuckReversals" count={stuck.reversals} to="/reversals" search={more} />
        <Worry text="stuckJobs" count={stuck.jobs} to="/jobs" search={{ mch_no }} />
      </div>
      {stuck.oldest_at !== null && (
        <p className="note">
          {t('oldest')} {when(stuck.oldest_at)}
        </p>
      )}
    </section>
  )
}

function NotificationHealth({ data: { notifications }, mch_no }: Part) {
  const { t } = usePreferences()
  return (
    <section>
      <h2>{t('notificationHealth')}</h2>
      <div className="tiles">
        <Worry text="late" count={notifications.late} to="/notifications" search={{ state: 'PENDING', mch_no }} />
        <Worry text="dead" count={notifications.dead} to="/notifications" search={{ state: 'DEAD', mch_no }} />
        <div className="tile">
          <span>{t('pendingNow')}</span>
          <b>{notifications.pending}</b>
        </div>
      </div>
    </section>
  )
}

/** The figures are for everyone; the links only for users who may read the reconciliation. */
function Unsettled({ data, mch_no }: Part) {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const mayRead = who?.permissions.includes('reconciliation.read') ?? false
  const linkTo = (page: string): string | false => mayRead && `/reconciliations/${page}`
  const open = { settled: 'false', mch_no }
  return (
    <section>
      <h2>{t('reconciliations')}</h2>
      <div className="tiles">
        <Worry text="unsettled" count={data.unsettled_differences} to={linkTo('differences')} search={open} />
        <Worry
          text="unmatchedPayments"
          count={data.unmatched_payments}
          to={linkTo('unmatched-payments')}
          search={open}
        />
      </div>
    </section>
  )
}

/** Alarms are of the installation, whatever merchant the page is filtered by. */
function OpenAlarms({ open, failing_channels }: NonNullable<Overview['alarms']>) {
  const { t } = usePreferences()
  return (
    <section>
      <h2>{t('alarms')}</h2>
      <div className="tiles">
        <Worry text="openAlarms" count={open} to="/alarms" search={{ mch_no: undefined }} />
        <Worry text="failingChannels" count={failing_channels} to="/alarms" search={{ mch_no: undefined }} />
      </div>
    </section>
  )
}

function ChannelHealth({ data }: { data: Overview }) {
  const { t, word } = usePreferences()
  return (
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
  )
}

/** A figure that should be zero, with a link to what it counts. `to` is false where the user may not see that. */
function Worry(props: {
  text: TextKey
  count: number
  to: string | false
  search: { mch_no: string | undefined; state?: string; settled?: string }
}) {
  const { t } = usePreferences()
  const { text, count, to } = props
  const { mch_no, ...more } = props.search
  const filters = mch_no === undefined ? more : { ...more, mch_no }
  const figure = <b className={count > 0 ? 'bad' : 'good'}>{count}</b>
  return (
    <div className="tile">
      <span>{t(text)}</span>
      {to === false ? (
        figure
      ) : (
        <Link to={to as never} search={filters as never} aria-label={`${t(text)} ${count}`}>
          {figure}
        </Link>
      )}
    </div>
  )
}
