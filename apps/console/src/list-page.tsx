/** A list page: filters that are kept in the address, rows page by page, and operations on the whole list. */
import type { Page } from '@acopay/protocol/console'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate, useSearch } from '@tanstack/react-router'
import { Button, Input, Select, Spin } from 'antd'
import { type ReactNode, useState } from 'react'
import { asked, chosen, pageBack, pageForth, search, type Values } from './address.ts'
import { call, session } from './api.ts'
import { type Column, Rows, Title, Trouble } from './parts.tsx'
import { type TextKey, usePreferences } from './preferences.tsx'

/** `prefix` of the keys of the options' words, where a word has another meaning elsewhere. */
export type Filter = { name: string; text: TextKey; options?: readonly string[]; isDay?: boolean; prefix?: string }

/** A user who sees all merchants can choose one of them. */
export function useMerchantFilter(): Filter[] {
  const { data: who } = useQuery(session)
  return who?.mch_no === null ? [{ name: 'mch_no', text: 'merchant' }] : []
}

/**
 * The position in a list. The filters and `after`, the place after which the page begins, are in the address, so that a link,
 * the browser's Back and a reload show the same page. The places of the earlier pages are in the state of the browser's
 * history. A user who came by a link has none; there, "back" goes to the first page.
 */
export function usePlace() {
  const { after = '', ...values } = useSearch({ strict: false }) as Values
  const { trail = [] } = useLocation().state as { trail?: string[] }
  const navigate = useNavigate()
  const place = { values, after, trail }
  const go = (next: { search: Values; trail?: string[] }): void => {
    const { search, ...state } = next
    void navigate({ to: '.', search: search as never, state: state as never })
  }
  return {
    values,
    after,
    filter: (next: Values) => go({ search: chosen(next) }),
    forth: (next: string) => go(pageForth(place, next)),
    back: () => go(pageBack(place)),
  }
}

export function ListPage<Row>(props: {
  title: TextKey
  /** Below /console/api/. */
  path: string
  filters: Filter[]
  columns: Column<Row>[]
  keyOf: (row: Row) => string
  /** The API of this list takes days as they are. Other lists take the moments at which days begin and end. */
  inDays?: boolean
  actions?: (values: Values) => ReactNode
}) {
  const { t } = usePreferences()
  const { values, after, filter, forth, back } = usePlace()
  const wanted = props.inDays ? values : asked(values)
  const found = useQuery({
    queryKey: [props.path, wanted, after],
    queryFn: () => call<Page<Row>>('GET', props.path + search({ ...wanted, after })),
    placeholderData: keepPreviousData,
  })
  return (
    <>
      <Title>{t(props.title)}</Title>
      {props.filters.length > 0 && (
        <Filters key={JSON.stringify(values)} filters={props.filters} values={values} onChange={filter} />
      )}
      {props.actions?.(values)}
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.error === null && found.data === undefined && <Spin />}
      {found.error === null && found.data !== undefined && (
        <Rows label={t(props.title)} columns={props.columns} rows={found.data.rows} keyOf={props.keyOf} />
      )}
      <div className="pager">
        <Button disabled={after === ''} onClick={back}>
          {t('pageBefore')}
        </Button>
        <Button
          disabled={found.isPlaceholderData || found.data?.next == null}
          onClick={() => found.data?.next != null && forth(found.data.next)}
        >
          {t('pageNext')}
        </Button>
        {found.data?.next != null && found.data.rows.length < 50 && <span className="note">{t('looksFurther')}</span>}
      </div>
    </>
  )
}

export function Filters(props: { filters: Filter[]; values: Values; onChange: (values: Values) => void }) {
  const { t, word } = usePreferences()
  const [draft, setDraft] = useState(props.values)
  const set = (name: string, value: string): void => setDraft({ ...draft, [name]: value.trim() })
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault()
        props.onChange(draft)
      }}
    >
      {props.filters.map(({ name, text, options, isDay, prefix = '' }) => (
        <label key={name} htmlFor={`filter-${name}`}>
          {t(text)}
          {options === undefined ? (
            <Input
              id={`filter-${name}`}
              type={isDay ? 'date' : 'search'}
              value={draft[name] ?? ''}
              onChange={(event) => set(name, event.target.value)}
            />
          ) : (
            <Select
              id={`filter-${name}`}
              aria-label={t(text)}
              value={draft[name] ?? ''}
              onChange={(value) => set(name, value)}
              options={[
                { value: '', label: t('all') },
                ...options.map((value) => ({ value, label: word(prefix + value) })),
              ]}
              style={{ minWidth: 120 }}
            />
          )}
        </label>
      ))}
      <Button type="primary" htmlType="submit">
        {t('search')}
      </Button>
      <Button onClick={() => props.onChange({})}>{t('reset')}</Button>
    </form>
  )
}
