/** Money that was sent back: what came, when, why, and how it went back. */
import type { SentBackRow } from '@acopay/protocol/console'
import { when, yuan } from '../../format.ts'
import { type Filter, useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { Answer, type Column, Mono, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { Channel, OrderLink } from '../orders/orders.tsx'

function Why({ of }: { of: SentBackRow }) {
  const { t, word } = usePreferences()
  const gap = of.after_close_s
  if (of.why !== 'late' || gap === null) return <>{word(`why_${of.why}`)}</>
  return (
    <>
      {word('why_late')} {gap >= 0 ? `${gap} ${t('secondsAfterClose')}` : `${-gap} ${t('secondsBeforeClose')}`}
    </>
  )
}

function Back({ of }: { of: SentBackRow }) {
  const { t } = usePreferences()
  const took = of.took_s === null ? '' : `${of.took_s} s`
  return (
    <>
      <State of={of.is_stuck ? 'done_STUCK' : `done_${of.state}`} /> {took} {of.by_upstream && t('byUpstream')}
    </>
  )
}

function Evidence({ of }: { of: SentBackRow }) {
  const { t } = usePreferences()
  // Its timeline lies in the file.
  if (of.archive_no !== null) return <Mono>{`${t('archivedIn')} ${of.archive_no}`}</Mono>
  return (
    <a href={`/console/api/orders/${of.mch_no}/${of.transaction_no}/evidence.html`} download>
      {t('evidenceFile')}
    </a>
  )
}

const COLUMNS: Column<SentBackRow>[] = [
  { text: 'transactionNo', show: (row) => <OrderLink {...row} /> },
  { text: 'whySentBack', show: (row) => <Why of={row} />, isText: true },
  { text: 'amount', show: (row) => (row.currency === 'CNY' ? yuan(row.amount) : `${row.amount} ${row.currency}`) },
  { text: 'channel', show: (row) => <Channel of={row.channel} /> },
  { text: 'paidAt', show: (row) => when(row.paid_at) },
  { text: 'howSentBack', show: (row) => <Back of={row} />, isText: true },
  { text: 'backAt', show: (row) => when(row.back_at) },
  { text: 'paymentNo', show: (row) => <Mono>{row.payment_no}</Mono>, isText: true },
  { text: 'reversalNo', show: (row) => <Mono>{row.upstream_no}</Mono>, isText: true },
  { text: 'lastAnswer', show: (row) => <Answer of={row.last_answer} />, isText: true },
  { text: 'evidence', show: (row) => <Evidence of={row} /> },
]

export function SentBack() {
  const { t } = usePreferences()
  const merchant = useMerchantFilter()
  const filters: Filter[] = [
    { name: 'state', text: 'state', options: ['PROCESSING', 'SUCCESS', 'STUCK'], prefix: 'done_' },
    ...merchant,
    { name: 'from', text: 'fromDay', isDay: true },
    { name: 'until', text: 'untilDay', isDay: true },
  ]
  const columns: Column<SentBackRow>[] =
    merchant.length > 0 ? [...COLUMNS, { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> }] : COLUMNS
  return (
    <ListPage<SentBackRow>
      title="sent-back"
      path="sent-back"
      filters={filters}
      columns={columns}
      keyOf={(row) => row.refund_no}
      actions={() => <p className="note">{t('sentBackSays')}</p>}
    />
  )
}
