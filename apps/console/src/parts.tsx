/** The components that every page uses: a title, rows that become cards on a phone, states, and errors. */
import { Link } from '@tanstack/react-router'
import { Alert, App, Button, type FormInstance, Grid, Result } from 'antd'
import { type ReactNode, useEffect } from 'react'
import { ApiError, messageOf } from './api-error.ts'
import { answerIn } from './format.ts'
import { NoPasskey } from './passkey.ts'
import { type TextKey, usePreferences } from './preferences.tsx'
import { toneOf } from './tones.ts'

/** The page's heading, which also names the browser's window. */
export function Title({ children, window }: { children: ReactNode; window?: string }) {
  const { t } = usePreferences()
  const text = window ?? (typeof children === 'string' ? children : '')
  useEffect(() => {
    document.title = `${text} · ${t('brand')}`
  }, [text, t])
  return <h1>{children}</h1>
}

export type Column<Row> = { text: TextKey; show: (row: Row) => ReactNode; isText?: boolean }

/** A table; on a phone each row is a card. `label` names it for screen readers. */
export function Rows<Row>(props: {
  label: string
  columns: Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
}) {
  const { label, columns, rows, keyOf } = props
  const { t } = usePreferences()
  const { md } = Grid.useBreakpoint()
  if (rows.length === 0) return <p className="note">{t('nothing')}</p>
  if (md === false) {
    return (
      <ul className="cards" aria-label={label}>
        {rows.map((row) => (
          <li key={keyOf(row)}>
            <dl className="pairs">
              {columns.map(({ text, show }) => (
                <Pair key={text} text={t(text)}>
                  {show(row)}
                </Pair>
              ))}
            </dl>
          </li>
        ))}
      </ul>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: keyboard users scroll the table
    <section className="scroll" aria-label={label} tabIndex={0}>
      <table className="rows">
        <thead>
          <tr>
            {columns.map(({ text }) => (
              <th key={text} scope="col">
                {t(text)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ text, show, isText }) => (
                <td key={text} className={isText ? 'text' : undefined}>
                  {show(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}

export function Pair({ text, children }: { text: string; children: ReactNode }) {
  return (
    <>
      <dt>{text}</dt>
      <dd>{children}</dd>
    </>
  )
}

/** A fact, with its name above it. */
export function Fact({ text, children }: { text: string; children: ReactNode }) {
  return (
    <div>
      <dt>{text}</dt>
      <dd>{children}</dd>
    </div>
  )
}

/** A state: a coloured dot and its word, so that users need not see the colour. */
export function State({ of }: { of: string }) {
  const { word } = usePreferences()
  return <span className={`state ${toneOf(of)}`}>{word(of)}</span>
}

/** What an upstream last answered. */
export function Answer({ of }: { of: string | null }) {
  const { word } = usePreferences()
  return of === null ? '—' : answerIn(of, word)
}

export const Mono = ({ children }: { children: ReactNode }) => <span className="mono">{children}</span>

/** A number with a button that copies it. */
export function Copied({ of, children }: { of: string; children: ReactNode }) {
  const { t } = usePreferences()
  const { message } = App.useApp()
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(of)
    void message.success(t('copied'))
  }
  return (
    <span className="number">
      {children}
      {/* Browsers have a clipboard for pages only where the connection is safe. */}
      {window.isSecureContext && (
        <button type="button" className="copy" aria-label={`${t('copy')} ${of}`} onClick={() => void copy()}>
          <svg width="14" height="14" viewBox="0 0 14 14" fill="none" stroke="currentColor" aria-hidden="true">
            <rect x="4.5" y="4.5" width="8" height="8" rx="1.5" />
            <path d="M2.5 9.5h-1v-8h8v1" />
          </svg>
        </button>
      )}
    </span>
  )
}

/** Fills a form's fields with suggestions in the user's language, except those that the user has edited. */
export function useSuggested<Values>(form: FormInstance<Values>, values: Record<string, string>): void {
  useEffect(() => {
    for (const [name, value] of Object.entries(values)) {
      // `touched: false`, because the form counts every value that is set as edited.
      if (!form.isFieldTouched(name as never)) form.setFields([{ name: name as never, value, touched: false }])
    }
  })
}

/** The error's message in the user's language. */
export function useSays(): (error: unknown) => string {
  const { t, language, labelOf } = usePreferences()
  return (error) => {
    if (error instanceof NoPasskey) return t(error.isKnown ? 'passkeyKnown' : 'noPasskey')
    return messageOf(error, language, labelOf) ?? t('unreachable')
  }
}

/** Shown at an address of the console that has no page. */
export function NoSuchPage() {
  const { t } = usePreferences()
  const back = <Link to={'/' as never}>{t('toOverview')}</Link>
  return (
    <>
      <Title>{t('noSuchPage')}</Title>
      <Result status="404" title="404" subTitle={back} />
    </>
  )
}

/** Shown where a page, or a part of one, could not be loaded. `retry` adds a button to try again. */
export function Trouble({ error, retry }: { error: unknown; retry?: () => void }) {
  const { t } = usePreferences()
  const says = useSays()
  const status = error instanceof ApiError ? error.status : 0
  const again = retry === undefined ? null : <Button onClick={retry}>{t('retry')}</Button>
  if (status === 403) return <Result status="403" title="403" subTitle={says(error)} />
  if (status === 404) return <Result status="404" title="404" subTitle={says(error)} />
  return <Alert type="error" showIcon title={says(error)} action={again} />
}
