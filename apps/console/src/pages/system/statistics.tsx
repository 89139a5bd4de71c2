/** Figures of a time: totals beside those of the time before, a picture, and the same as tables and files. */
import type { FigurePart, FigureRow, FiguresPage } from '@acopay/protocol/console'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Button, Radio, Spin } from 'antd'
import { type ReactNode, useState } from 'react'
import { search } from '../../address.ts'
import { call, gatewayMs } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { type Filter, Filters, useMerchantFilter } from '../../list-filters.tsx'
import { usePlace } from '../../list-page.tsx'
import { type Column, Rows, Title, Trouble } from '../../parts.tsx'
import { type TextKey, usePreferences } from '../../preferences.tsx'
import { changeOf, closed, daysBack, rateOf } from './figures.ts'
import { FiguresChart } from './figures-chart.tsx'

const PRESETS: [text: TextKey, days: number, ago: number][] = [
  ['today', 1, 0],
  ['yesterday', 1, 1],
  ['last7', 7, 0],
  ['last30', 30, 0],
  ['last90', 90, 0],
]

export function Statistics() {
  const { t } = usePreferences()
  const { values, filter } = usePlace()
  const { mch_no, from, until } = values
  const filters: Filter[] = [
    { name: 'from', text: 'fromDay', isDay: true },
    { name: 'until', text: 'untilDay', isDay: true },
    ...useMerchantFilter(),
  ]
  const asked = search({ mch_no, from, until })
  const { data, error, refetch } = useQuery({
    queryKey: ['figures', asked],
    queryFn: () => call<FiguresPage>('GET', `figures${asked}`),
    placeholderData: keepPreviousData,
  })
  return (
    <>
      <Title>{t('statistics')}</Title>
      <div className="buttons">
        {PRESETS.map(([text, days, ago]) => (
          <Button key={text} onClick={() => filter({ ...values, ...daysBack(gatewayMs(), days, ago) })}>
            {t(text)}
          </Button>
        ))}
      </div>
      <Filters key={JSON.stringify(values)} filters={filters} values={values} onChange={filter} />
      {error !== null && <Trouble error={error} retry={() => void refetch()} />}
      {error === null && data === undefined && <Spin />}
      {error === null && data !== undefined && <Shown data={data} asked={asked} />}
    </>
  )
}

function Shown({ data, asked }: { data: FiguresPage; asked: string }) {
  const { t, word } = usePreferences()
  const inHours = data.step === 'hour'
  return (
    <>
      <p className="note">
        {data.from} – {data.until} · {t('comparedWith')} {data.before_from} – {data.before_until}
        {data.at !== null && ` · ${t('figures')} ${when(data.at)}`}
      </p>
      <Totals total={data.total} before={data.before} />
      <h2>{t('byTime')}</h2>
      <FiguresChart
        title={t('byTime')}
        rows={data.by_time}
        labels={data.by_time.map(({ at }) => when(at).slice(5, inHours ? 16 : 10))}
      />
      <Part asked={asked} part="by_time" rows={data.by_time} label="byTime">
        {{ text: 'at', show: ({ at }) => when(at).slice(0, inHours ? 16 : 10) }}
      </Part>
      <h2>{t('byChannel')}</h2>
      <Part asked={asked} part="by_channel" rows={data.by_channel} label="byChannel">
        {{ text: 'channel', show: ({ channel, method }) => `${word(channel)} ${word(method)}` }}
      </Part>
      {data.by_merchant.length > 0 && (
        <>
          <h2>{t('byMerchants')}</h2>
          <Part asked={asked} part="by_merchant" rows={data.by_merchant} label="byMerchants">
            {{ text: 'merchant', show: ({ mch_no, name }) => `${name} ${mch_no}` }}
          </Part>
        </>
      )}
      <h2>{t('byClock')}</h2>
      <FiguresChart
        title={t('byClock')}
        rows={data.by_clock}
        labels={data.by_clock.map(({ hour }) => `${String(hour).padStart(2, '0')}:00`)}
      />
      <Part asked={asked} part="by_clock" rows={data.by_clock} label="byClock">
        {{ text: 'at', show: ({ hour }) => `${String(hour).padStart(2, '0')}:00` }}
      </Part>
    </>
  )
}

/** Each figure with how it differs from the time before. */
function Totals({ total, before }: { total: FigureRow; before: FigureRow }) {
  const { t } = usePreferences()
  const tile = (text: TextKey, show: (of: FigureRow) => ReactNode, value: (of: FigureRow) => number | null) => (
    <div className="tile">
      <span>{t(text)}</span>
      <b>{show(total)}</b>
      <span>
        {show(before)} {changeOf(value(total), value(before))}
      </span>
    </div>
  )
  const money = (text: TextKey, value: (of: FigureRow) => string) =>
    tile(
      text,
      (of) => yuan(value(of)),
      (of) => Number(value(of)),
    )
  const count = (text: TextKey, value: (of: FigureRow) => number) => tile(text, value, value)
  return (
    <div className="tiles">
      {money('paidAmount', (of) => of.paid_amount)}
      {count('paidOrders', (of) => of.paid)}
      {tile(
        'attemptRate',
        (of) => rateOf(of.paid, of.attempts),
        (of) => (of.attempts === 0 ? null : of.paid / of.attempts),
      )}
      {tile(
        'secondsToPay',
        (of) => of.pay_seconds ?? '—',
        (of) => of.pay_seconds,
      )}
      {count('placed', (of) => of.placed)}
      {count('closedOrders', closed)}
      {money('closedAmount', (of) => of.closed_amount)}
      {money('refundedAmount', (of) => of.refunded_amount)}
      {count('refunds', (of) => of.refunds)}
      {money('reversedAmount', (of) => of.reversed_amount)}
      {count('moneySentBack', (of) => of.reversals)}
    </div>
  )
}

/** The rows as a table that is folded at first where it is long, and the file of them. */
function Part<Row extends FigureRow>(props: {
  asked: string
  part: FigurePart
  label: TextKey
  rows: Row[]
  children: Column<Row>
}) {
  const { t, language } = usePreferences()
  const [isOpen, setOpen] = useState(props.rows.length <= 12)
  const { asked, part, label, rows, children } = props
  const file = `/console/api/figures.csv${asked === '' ? '?' : `${asked}&`}part=${part}&language=${language}`
  const columns: Column<Row>[] = [
    children,
    { text: 'paidOrders', show: (of) => of.paid },
    { text: 'paidAmount', show: (of) => yuan(of.paid_amount) },
    { text: 'attemptRate', show: (of) => rateOf(of.paid, of.attempts) },
    { text: 'secondsToPay', show: (of) => of.pay_seconds ?? '—' },
    { text: 'refunds', show: (of) => of.refunds },
    { text: 'refundedAmount', show: (of) => yuan(of.refunded_amount) },
    { text: 'moneySentBack', show: (of) => of.reversals },
    { text: 'reversedAmount', show: (of) => yuan(of.reversed_amount) },
    ...(part === 'by_channel' ? [] : ORDERS),
  ]
  return (
    <>
      <div className="buttons">
        <Radio.Group
          aria-label={t(label)}
          value={isOpen}
          optionType="button"
          options={[
            { value: true, label: t('asTable') },
            { value: false, label: t('folded') },
          ]}
          onChange={({ target }) => setOpen(target.value as boolean)}
        />
        <Button href={file} download>
          {t('asCsv')}
        </Button>
      </div>
      {isOpen && <Rows label={t(label)} rows={rows} keyOf={(row) => String(rows.indexOf(row))} columns={columns} />}
    </>
  )
}

/** What belongs to no channel. */
const ORDERS: Column<FigureRow>[] = [
  { text: 'placed', show: (of) => of.placed },
  { text: 'closedOrders', show: closed },
  { text: 'closedAmount', show: (of) => yuan(of.closed_amount) },
]
