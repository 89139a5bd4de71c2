/** Formats money and time for people. Times are China's, wherever the user is. */

const WHEN = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** `2026-03-01 12:00:00`, in UTC+8. A line at the end of each page names the time zone. */
export const when = (iso: string | null): string => (iso === null ? '—' : WHEN.format(new Date(iso)))

/** With milliseconds, for lists in which the order of events matters. */
export const whenExactly = (iso: string): string => `${when(iso)}.${iso.slice(20, 23)}`

/** `"1234.50"` → `¥1,234.50`. Amounts stay text: they are never a float. */
export const yuan = (amount: string): string =>
  `${amount.startsWith('-') ? '−' : ''}¥${amount.replace('-', '').replace(/\B(?=(\d{3})+\.)/g, ',')}`

/** An upstream's answer in the user's words. The gateway keeps it as `close: unknown (HTTP 502), then query: open`. */
export const answerIn = (text: string, word: (code: string) => string): string =>
  text.replace(/(^|, then )(\w+): (\w+)/g, (_, before: string, verb: string, kind: string) => {
    return `${before === '' ? '' : ', '}${word(verb)} → ${word(kind)}`
  })
