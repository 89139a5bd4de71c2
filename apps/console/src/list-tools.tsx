/** What stands above the rows of a list: how many there are, files of them, the columns that are shown, and saved views. */
import type { ListTotal } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { App, Button, Checkbox, Input } from 'antd'
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { search, type Values } from './address.ts'
import { call, session } from './api.ts'
import { download } from './download.ts'
import { type Column, useSays } from './parts.tsx'
import { type TextKey, usePreferences } from './preferences.tsx'
import { store, storedList } from './stored.ts'

const isText = (item: unknown): item is string => typeof item === 'string'

/** Which columns a user does not want to see, and the buttons to choose them; the first column names the row and stays. */
export function useColumns<Row>(path: string, columns: Column<Row>[]): { shown: Column<Row>[]; chooser: ReactNode } {
  const { t } = usePreferences()
  const key = `acopay.columns.${path}`
  const [hidden, setHidden] = useState(() => storedList(key, isText))
  const set = (text: TextKey, isShown: boolean): void => {
    const next = isShown ? hidden.filter((one) => one !== text) : [...hidden, text]
    setHidden(next)
    store(key, JSON.stringify(next))
  }
  const [first, ...others] = columns
  const shown = columns.filter((column) => column === first || !hidden.includes(column.text))
  const chooser = (
    <Folded title={t('columns')}>
      {others.map(({ text }) => (
        <Checkbox key={text} checked={!hidden.includes(text)} onChange={({ target }) => set(text, target.checked)}>
          {t(text)}
        </Checkbox>
      ))}
    </Folded>
  )
  return { shown, chooser }
}

/** A button that opens a small panel below it. It closes when the focus or a click goes elsewhere, and with Escape. */
function Folded({ title, children }: { title: string; children: ReactNode }) {
  const box = useRef<HTMLDetailsElement>(null)
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    const leave = (event: Event): void => {
      const isInside = event.target instanceof Node && box.current?.contains(event.target) === true
      const isEscape = event instanceof KeyboardEvent && event.key === 'Escape'
      if (box.current !== null && (!isInside || isEscape)) box.current.open = false
    }
    const events = ['pointerdown', 'focusin', 'keydown'] as const
    for (const event of events) document.addEventListener(event, leave)
    return () => {
      for (const event of events) document.removeEventListener(event, leave)
    }
  }, [])
  return (
    <details className="folded" ref={box} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{title}</summary>
      {isOpen && <div className="panel">{children}</div>}
    </details>
  )
}

type View = { name: string; values: Values }
const isView = (item: unknown): item is View =>
  typeof item === 'object' && item !== null && 'name' in item && 'values' in item && isText(item.name)

/**
 * Names for addresses of this list, kept in the browser for each user. An address is all that a view is: a colleague gets it as a
 * link.
 */
export function Views({
  path,
  values,
  onChoose,
}: {
  path: string
  values: Values
  onChoose: (values: Values) => void
}) {
  const { t } = usePreferences()
  const { data: who } = useQuery(session)
  const key = `acopay.views.${who?.username ?? ''}.${path}`
  const [views, setViews] = useState(() => storedList(key, isView))
  const [name, setName] = useState('')
  const keep = (next: View[]): void => {
    setViews(next)
    store(key, JSON.stringify(next))
  }
  const add = (): void => {
    if (name.trim() === '') return
    keep([...views.filter((one) => one.name !== name.trim()), { name: name.trim(), values }])
    setName('')
  }
  return (
    <Folded title={t('views')}>
      {views.map((view) => (
        <span className="view" key={view.name}>
          <Button type="link" onClick={() => onChoose(view.values)}>
            {view.name}
          </Button>
          <Button
            size="small"
            aria-label={`${t('forgetView')} ${view.name}`}
            onClick={() => keep(views.filter((one) => one !== view))}
          >
            {t('forgetView')}
          </Button>
        </span>
      ))}
      <form
        className="view"
        onSubmit={(event) => {
          event.preventDefault()
          add()
        }}
      >
        <Input
          aria-label={t('viewName')}
          placeholder={t('viewName')}
          value={name}
          maxLength={40}
          onChange={({ target }) => setName(target.value)}
        />
        <Button htmlType="submit">{t('keepView')}</Button>
      </form>
    </Folded>
  )
}

/** How many rows there are, where counting them is no more work than a page. */
export function Total({ path, wanted }: { path: string; wanted: Values }) {
  const { t } = usePreferences()
  const { limit: _, ...filters } = wanted
  const { data } = useQuery({
    queryKey: ['totals', path, filters],
    queryFn: () => call<ListTotal>('GET', `totals/${path}${search(filters)}`),
  })
  if (data === undefined) return null
  return (
    <span className="note" role="status">
      {data.has_more ? t('moreThan') : t('inAll')} {data.count}
    </span>
  )
}

/** The rows that the filters choose as a file. */
export function Exports({ path, wanted }: { path: string; wanted: Values }) {
  const { limit: _, ...filters } = wanted
  return <Files pathOf={(format) => `${path}.${format}`} filters={filters} />
}

/** Buttons for a file as CSV and as a workbook, in the language of the page; meanwhile how far it is, and a button to stop it. */
export function Files({ pathOf, filters = {} }: { pathOf: (format: string) => string; filters?: Values }) {
  const { t, language } = usePreferences()
  const { message } = App.useApp()
  const says = useSays()
  const [at, setAt] = useState<{ stop: AbortController; bytes: number } | null>(null)
  const begin = async (format: string): Promise<void> => {
    const stop = new AbortController()
    setAt({ stop, bytes: 0 })
    const path = pathOf(format) + search({ ...filters, language })
    await download(path, stop.signal, (bytes) => setAt({ stop, bytes })).catch((error: unknown) => {
      if (!stop.signal.aborted) void message.error(says(error))
    })
    setAt(null)
  }
  if (at === null) {
    return (
      <>
        {['csv', 'xlsx'].map((format) => (
          <Button key={format} onClick={() => void begin(format)}>
            {t('export')} {format.toUpperCase()}
          </Button>
        ))}
      </>
    )
  }
  return (
    <>
      <span role="status" className="note">
        {t('exporting')} {(at.bytes / 1e6).toFixed(1)} MB
      </span>
      <Button onClick={() => at.stop.abort()}>{t('stop')}</Button>
    </>
  )
}
