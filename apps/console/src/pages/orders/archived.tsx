/** Orders whose rows lie in a file: that there are such, in which file, and how they are brought back. */
import type { ArchivedRow, Found } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { search } from '../../address.ts'
import { call } from '../../api.ts'
import { type Column, Copied, Mono, Rows, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'

function HowBack({ of }: { of: ArchivedRow }) {
  const { t } = usePreferences()
  if (of.file === null) return <>{t('askForArchived')}</>
  const command = `acopay-server archive restore ${of.file}`
  return (
    <Copied of={command}>
      <Mono>{command}</Mono>
    </Copied>
  )
}

const COLUMNS: Column<ArchivedRow>[] = [
  {
    text: 'transactionNo',
    show: (row) => (
      <Copied of={row.transaction_no}>
        <Mono>{row.transaction_no}</Mono>
      </Copied>
    ),
  },
  { text: 'state', show: (row) => <State of={row.state} /> },
  { text: 'archivedMonth', show: (row) => row.month },
  { text: 'archiveNo', show: (row) => <Mono>{row.archive_no}</Mono> },
  { text: 'howBack', show: (row) => <HowBack of={row} />, isText: true },
  { text: 'mchTradeNo', show: (row) => <Mono>{row.mch_trade_no}</Mono>, isText: true },
  { text: 'merchant', show: (row) => <Mono>{row.mch_no}</Mono> },
]

export function ArchivedOrders({ rows }: { rows: ArchivedRow[] }) {
  const { t } = usePreferences()
  if (rows.length === 0) return null
  return (
    <>
      <h2>{t('archivedOrders')}</h2>
      <Rows label={t('archivedOrders')} rows={rows} columns={COLUMNS} keyOf={(row) => row.transaction_no} />
    </>
  )
}

/** Those with this number, beside a list that has only orders in the tables. */
export function ArchivedOfNumber({ number }: { number: string }) {
  const { data } = useQuery({
    queryKey: ['find', number],
    queryFn: () => call<Found>('GET', `find${search({ text: number })}`),
  })
  return <ArchivedOrders rows={data?.archived ?? []} />
}
