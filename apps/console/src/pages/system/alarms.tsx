/** Alarms: what is wrong now and what was, and the channels to which it is told. */
import type { AlarmRow } from '@acopay/protocol/console'
import { Link } from '@tanstack/react-router'
import { readSearch } from '../../address.ts'
import { when } from '../../format.ts'
import { ListPage } from '../../list-page.tsx'
import { Mono, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { OrderLink } from '../orders/orders.tsx'
import { AlarmChannels } from './alarm-channels.tsx'

export function Alarms() {
  const { t, language } = usePreferences()
  return (
    <ListPage<AlarmRow>
      title="alarms"
      path="alarms"
      filters={[]}
      actions={() => (
        <>
          <AlarmChannels />
          <h2>{t('alarmList')}</h2>
        </>
      )}
      keyOf={(row) => [row.kind, row.subject, row.raised_at].join('/')}
      columns={[
        { text: 'state', show: (row) => <State of={row.cleared_at === null ? 'alarm_open' : 'alarm_over'} /> },
        { text: 'severity', show: (row) => <State of={`severity_${row.severity}`} /> },
        { text: 'alarm', show: (row) => <What of={row} language={language} />, isText: true },
        { text: 'found', show: (row) => row.found },
        { text: 'examples', show: (row) => <Examples of={row} /> },
        { text: 'raisedAt', show: (row) => when(row.raised_at) },
        { text: 'toldAt', show: (row) => when(row.told_at) },
        { text: 'clearedAt', show: (row) => when(row.cleared_at) },
        { text: 'runbook', show: (row) => <Mono>{row.runbook}</Mono>, isText: true },
      ]}
    />
  )
}

function What({ of, language }: { of: AlarmRow; language: 'zh' | 'en' }) {
  const [page = '', query = ''] = of.page.split('?')
  const about = of.about[language]
  return (
    <Link to={`/${page}` as never} search={readSearch(query) as never}>
      {of.text[language]}
      {about !== '' && ` · ${about}`}
    </Link>
  )
}

/** Orders have a page; other numbers are found by the search of the orders. */
function Examples({ of: { examples } }: { of: AlarmRow }) {
  return examples.map(({ mch_no, number }) => (
    <div key={`${mch_no}/${number}`}>
      {number.startsWith('AP') ? (
        <OrderLink mch_no={mch_no} transaction_no={number} />
      ) : (
        <Other {...{ mch_no, number }} />
      )}
    </div>
  ))
}

function Other({ mch_no, number }: { mch_no: string; number: string }) {
  if (!/^A[RT]\d/.test(number)) return <Mono>{`${mch_no} ${number}`.trim()}</Mono>
  return (
    <Link to={'/orders' as never} search={{ number } as never}>
      <Mono>{number}</Mono>
    </Link>
  )
}
