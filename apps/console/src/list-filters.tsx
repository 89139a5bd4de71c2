/** The filters of a list: words, choices, a merchant that is searched for, and a range of time in UTC+8. */
import type { MerchantList } from '@acopay/protocol/console'
import { useQuery } from '@tanstack/react-query'
import { AutoComplete, Button, DatePicker, Input, Select } from 'antd'
import dayjs from 'dayjs'
import 'dayjs/locale/zh-cn'
import { useState } from 'react'
import { search, type Values } from './address.ts'
import { call, gatewayMs, session } from './api.ts'
import { type TextKey, usePreferences } from './preferences.tsx'
import { chosenAt, PRESETS, type Preset, presetOf, rangeOf, shownAt, typedAt } from './times.ts'

/**
 * `prefix` of the keys of the options' words, where a word has another meaning elsewhere. `range`: two values, `from` and `until`, with
 * a choice of usual ones. `merchant`: found by a part of its number or name.
 */
export type Filter = {
  name: string
  text: TextKey
  options?: readonly string[]
  isDay?: boolean
  is?: 'range' | 'merchant'
  prefix?: string
  /** What no choice means; without it all. */
  none?: TextKey
}

/** When something was made. */
export const RANGE: Filter = { name: 'range', text: 'range', is: 'range' }

/** A user who sees all merchants can choose one of them. */
export function useMerchantFilter(): Filter[] {
  const { data: who } = useQuery(session)
  return who?.mch_no === null ? [{ name: 'mch_no', text: 'merchant', is: 'merchant' }] : []
}

type Setting = { values: Values; set: (more: Values) => void }

export function Filters(props: { filters: Filter[]; values: Values; onChange: (values: Values) => void }) {
  const { t } = usePreferences()
  const [draft, setDraft] = useState(props.values)
  const setting = { values: draft, set: (more: Values) => setDraft({ ...draft, ...more }) }
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault()
        props.onChange({ ...draft, ...typedIn(event.currentTarget) })
      }}
    >
      {props.filters.map((filter) =>
        filter.is === 'range' ? (
          <Range key={filter.name} {...setting} />
        ) : (
          <label key={filter.name} htmlFor={`filter-${filter.name}`}>
            {t(filter.text)}
            <Field filter={filter} {...setting} />
          </label>
        ),
      )}
      <Button type="primary" htmlType="submit">
        {t('search')}
      </Button>
      <Button onClick={() => props.onChange(props.values.limit ? { limit: props.values.limit } : {})}>
        {t('reset')}
      </Button>
    </form>
  )
}

/** The pickers tell what was typed only after the focus has left them, which a press on the button may be too early for. */
function typedIn(form: HTMLFormElement): Values {
  const ends = ['from', 'until'] as const
  const fields = ends.map((end) => [end, form.querySelector<HTMLInputElement>(`#filter-${end}`)] as const)
  return Object.fromEntries(
    fields.flatMap(([end, field]) => (field === null ? [] : [[end, typedAt(field.value, end)]])),
  )
}

function Field({ filter, values, set }: Setting & { filter: Filter }) {
  const { t, word } = usePreferences()
  const { name, text, options, isDay, prefix = '', none = 'all' } = filter
  const id = `filter-${name}`
  if (filter.is === 'merchant')
    return <Merchant id={id} value={values[name] ?? ''} set={(value) => set({ [name]: value })} />
  if (options === undefined) {
    return (
      <Input
        id={id}
        type={isDay ? 'date' : 'search'}
        value={values[name] ?? ''}
        onChange={(event) => set({ [name]: event.target.value.trim() })}
      />
    )
  }
  return (
    <Select
      id={id}
      aria-label={t(text)}
      value={values[name] ?? ''}
      onChange={(value) => set({ [name]: value })}
      options={[{ value: '', label: t(none) }, ...options.map((value) => ({ value, label: word(prefix + value) }))]}
      style={{ minWidth: 120 }}
    />
  )
}

/** The number can be typed; a part of it, or of the name, offers the merchants that have it. */
function Merchant({ id, value, set }: { id: string; value: string; set: (value: string) => void }) {
  const [typed, setTyped] = useState('')
  const { data } = useQuery({
    queryKey: ['merchants', 'search', typed],
    queryFn: () => call<MerchantList>('GET', `merchants${search({ search: typed, limit: 10 })}`),
    enabled: typed !== '',
  })
  const options = typed === '' ? [] : (data?.rows ?? [])
  return (
    <AutoComplete
      id={id}
      value={value}
      onChange={(text: string) => set(text.trim())}
      onSearch={(text) => setTyped(text.trim())}
      options={options.map(({ mch_no, name }) => ({ value: mch_no, label: `${name} · ${mch_no}` }))}
      popupMatchSelectWidth={false}
      style={{ minWidth: 150 }}
    />
  )
}

const SHOWN = 'YYYY-MM-DD HH:mm:ss'
const TYPED = [SHOWN, 'YYYY-MM-DD HH:mm', 'YYYY-MM-DD']

function Range({ values, set }: Setting) {
  const { t } = usePreferences()
  const choose = (preset: Preset | ''): void =>
    set(preset === '' ? { from: '', until: '' } : rangeOf(preset, gatewayMs()))
  return (
    <>
      <label htmlFor="filter-preset">
        {t('range')}
        <Select
          id="filter-preset"
          aria-label={t('range')}
          value={presetOf(values, gatewayMs())}
          onChange={choose}
          options={[
            { value: '' as const, label: values.from || values.until ? t('ownRange') : t('all') },
            ...PRESETS.map((value) => ({ value, label: t(value) })),
          ]}
          style={{ minWidth: 110 }}
        />
      </label>
      <Moment end="from" text="fromDay" values={values} set={set} />
      <Moment end="until" text="untilDay" values={values} set={set} />
    </>
  )
}

/** A picker knows no time zones: what it shows is taken for the time in UTC+8. */
function Moment({ end, text, values, set }: Setting & { end: 'from' | 'until'; text: TextKey }) {
  const { t } = usePreferences()
  const shown = shownAt(values[end] ?? '', end)
  return (
    <label htmlFor={`filter-${end}`}>
      {t(text)}
      <DatePicker
        id={`filter-${end}`}
        value={dayjs(shown).isValid() ? dayjs(shown) : null}
        onChange={(at) => set({ [end]: at === null ? '' : chosenAt(at.format(SHOWN), end) })}
        format={TYPED}
        showTime={{ defaultOpenValue: dayjs(shownAt('2000-01-01', end)) }}
        needConfirm={false}
        showNow={false}
        placeholder=""
      />
    </label>
  )
}
