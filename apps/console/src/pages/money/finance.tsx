/** Bills: the list, the file, and a day's sums in our books beside those in the upstreams' bills. */
import type { BillComparison, BillRow, ComparedChannel, CountedAmount } from '@acopay/protocol/console'
import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { App, Button, Input, Spin } from 'antd'
import { type ReactNode, useState } from 'react'
import { call, gatewayMs, session } from '../../api.ts'
import { when, yuan } from '../../format.ts'
import { useMerchantFilter } from '../../list-filters.tsx'
import { ListPage } from '../../list-page.tsx'
import { Files } from '../../list-tools.tsx'
import { Fact, Mono, Rows, Title, Trouble, useSays } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { rangeOf } from '../../times.ts'
import { Channel } from '../orders/orders.tsx'
import { DifferencesLink } from './reconciliation.tsx'

export function Bills() {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const mayCompare = who?.permissions.includes('reconciliation.read') ?? false
  return (
    <ListPage<BillRow>
      title="bills"
      path="bills"
      filters={useMerchantFilter()}
      hasFile
      actions={(values) => <Statement mchNo={who?.mch_no ?? values.mch_no ?? ''} />}
      keyOf={(row) => `${row.bill_day}/${row.mch_no}`}
      columns={[
        { text: 'billDay', show: (row) => row.bill_day },
        { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
        { text: 'lines', show: (row) => row.lines },
        { text: 'sizeBytes', show: (row) => row.size_bytes },
        { text: 'sha256', show: (row) => <Mono>{row.sha256 ?? '—'}</Mono>, isText: true },
        { text: 'madeAt', show: (row) => when(row.made_at) },
        { text: 'download', show: (row) => <Download of={row} /> },
        ...(mayCompare
          ? [
              {
                text: 'compare',
                show: ({ mch_no, bill_day }: BillRow) => (
                  <Link
                    to={'/bills/$mchNo/$billDay' as never}
                    params={{ mchNo: mch_no, billDay: bill_day } as never}
                    aria-label={`${t('compare')} ${bill_day} ${mch_no}`}
                  >
                    {t('compare')}
                  </Link>
                ),
              } as const,
            ]
          : []),
      ]}
    />
  )
}

/** A month of a merchant's bills, with their sums. */
function Statement({ mchNo }: { mchNo: string }) {
  const { t } = usePreferences()
  const [month, setMonth] = useState(() => rangeOf('lastMonth', gatewayMs()).from.slice(0, 7))
  if (mchNo === '') return <p className="note">{t('statementNeedsMerchant')}</p>
  return (
    <div className="buttons">
      <label className="month" htmlFor="statement-month">
        {t('statement')}
        <Input id="statement-month" type="month" value={month} onChange={({ target }) => setMonth(target.value)} />
      </label>
      {month !== '' && <Files pathOf={(format) => `statements/${mchNo}/${month}/${format}`} />}
    </div>
  )
}

/** The download button, where there is a file: the files of old bills are deleted. */
function Download({ of }: { of: BillRow }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const fetchFile = useMutation({
    mutationFn: () => call<{ url: string }>('GET', `bills/${of.mch_no}/${of.bill_day}/link`),
    onSuccess: ({ url }) => window.location.assign(url),
    onError: (error) => void message.error(says(error)),
  })
  if (!of.has_file) return of.lines > 0 ? t('fileForgotten') : '—'
  return (
    <Button
      size="small"
      loading={fetchFile.isPending}
      onClick={() => fetchFile.mutate()}
      aria-label={`${t('download')} ${of.bill_day} ${of.mch_no}`}
    >
      {t('download')}
    </Button>
  )
}

const sum = ({ count, amount }: CountedAmount): string => `${yuan(amount)} (${count})`

export function BillPage() {
  const { t } = usePreferences()
  const { mchNo = '', billDay = '' } = useParams({ strict: false }) as { mchNo?: string; billDay?: string }
  const path = `bills/${mchNo}/${billDay}/comparison`
  const { data, error, refetch } = useQuery({ queryKey: [path], queryFn: () => call<BillComparison>('GET', path) })
  if (error !== null) return <Trouble error={error} retry={() => void refetch()} />
  if (data === undefined) return <Spin />
  const ours = ({ ours: own }: ComparedChannel, show: (own: NonNullable<ComparedChannel['ours']>) => ReactNode) =>
    own === null ? t('tooLong') : show(own)
  const theirs = (
    { theirs: other }: ComparedChannel,
    show: (other: NonNullable<ComparedChannel['theirs']>) => ReactNode,
  ) => (other === null ? t('notFetched') : (show(other) ?? t('notKnown')))
  return (
    <>
      <Title>{`${t('billComparison')} ${data.bill_day}`}</Title>
      <dl className="facts">
        <Fact text={t('merchant')}>
          <Mono>{data.mch_no}</Mono>
        </Fact>
        <Fact text={t('lines')}>{data.lines}</Fact>
        <Fact text={t('madeAt')}>{when(data.made_at)}</Fact>
        <Fact text={t('sha256')}>
          <Mono>{data.sha256 ?? '—'}</Mono>
        </Fact>
        <Fact text={t('download')}>
          <Download of={data} />
        </Fact>
      </dl>
      <h2>{t('compare')}</h2>
      <Rows
        label={t('compare')}
        rows={data.channels}
        keyOf={({ channel }) => channel}
        columns={[
          { text: 'channel', show: ({ channel }) => <Channel of={channel} /> },
          { text: 'oursPaid', show: (one) => ours(one, ({ paid }) => sum(paid)) },
          { text: 'earlierPaid', show: (one) => ours(one, ({ earlier }) => sum(earlier)) },
          { text: 'laterPaid', show: (one) => ours(one, ({ later }) => sum(later)) },
          { text: 'theirsPaid', show: (one) => theirs(one, ({ paid }) => paid && sum(paid)) },
          { text: 'oursRefunded', show: (one) => ours(one, ({ refunded }) => sum(refunded)) },
          { text: 'theirsRefunded', show: (one) => theirs(one, ({ refunded }) => refunded && sum(refunded)) },
          { text: 'theirLines', show: (one) => theirs(one, ({ lines }) => lines) },
          {
            text: 'differences',
            show: (one) =>
              theirs(one, ({ differences, unsettled }) => (
                <DifferencesLink of={{ ...data, channel: one.channel, day: data.bill_day, differences, unsettled }} />
              )),
          },
          { text: 'reconciledAt', show: (one) => theirs(one, ({ done_at }) => when(done_at)) },
        ]}
      />
      <p className="note">{t('comparisonSays')}</p>
    </>
  )
}
