/** A list page: filters that are kept in the address, rows page by page, and operations on the whole list. */
import type { Page } from '@acopay/protocol/console'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useLocation, useNavigate, useSearch } from '@tanstack/react-router'
import { Button, Select, Spin } from 'antd'
import type { ReactNode } from 'react'
import { asked, chosen, pageBack, pageForth, search, type Values } from './address.ts'
import { call } from './api.ts'
import { type Filter, Filters } from './list-filters.tsx'
import { Exports, Total, useColumns, Views } from './list-tools.tsx'
import { type Column, Rows, Title, Trouble } from './parts.tsx'
import { type TextKey, usePreferences } from './preferences.tsx'

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

const SIZES = ['20', '50', '100']
const SIZE = '50'

export function ListPage<Row>(props: {
  title: TextKey
  /** Below /console/api/. */
  path: string
  filters: Filter[]
  columns: Column<Row>[]
  keyOf: (row: Row) => string
  /** The API of this list takes days as they are. Other lists take the moments at which days begin and end. */
  inDays?: boolean
  /** The list is also a file, and can be counted. */
  hasFile?: boolean
  actions?: (values: Values) => ReactNode
}) {
  const { t } = usePreferences()
  const { values, after, filter, forth, back } = usePlace()
  const { shown, chooser } = useColumns(props.path, props.columns)
  const wanted = props.inDays ? values : asked(values)
  const found = useQuery({
    queryKey: [props.path, wanted, after],
    queryFn: () => call<Page<Row>>('GET', props.path + search({ ...wanted, after })),
    placeholderData: keepPreviousData,
  })
  const size = Number(values.limit ?? SIZE)
  return (
    <>
      <Title>{t(props.title)}</Title>
      {props.filters.length > 0 && (
        <Filters key={JSON.stringify(values)} filters={props.filters} values={values} onChange={filter} />
      )}
      {props.actions?.(values)}
      <div className="tools">
        {props.hasFile === true && <Total path={props.path} wanted={wanted} />}
        <span className="grow" />
        <Views key={props.path} path={props.path} values={values} onChoose={filter} />
        {chooser}
        {props.hasFile === true && <Exports path={props.path} wanted={wanted} />}
      </div>
      {found.error !== null && <Trouble error={found.error} retry={() => void found.refetch()} />}
      {found.error === null && found.data === undefined && <Spin />}
      {found.error === null && found.data !== undefined && (
        <Rows label={t(props.title)} columns={shown} rows={found.data.rows} keyOf={props.keyOf} />
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
        <Select
          aria-label={t('pageSize')}
          value={String(size)}
          onChange={(limit) => filter({ ...values, limit: limit === SIZE ? '' : limit })}
          options={SIZES.map((value) => ({ value, label: `${value} ${t('perPage')}` }))}
        />
        {found.data?.next != null && found.data.rows.length < size && <span className="note">{t('looksFurther')}</span>}
      </div>
    </>
  )
}
