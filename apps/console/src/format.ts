/** The one place where money and time are written for people. Business time is China's, whoever looks. */

const WHEN = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'Asia/Shanghai',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** `2026-03-01 12:00:00`, in UTC+8; the frame says so once for the whole page. */
export const when = (iso: string | null): string => (iso === null ? '—' : WHEN.format(new Date(iso)))

/** With milliseconds, where the order of things matters. */
export const whenExactly = (iso: string): string => `${when(iso)}.${iso.slice(20, 23)}`

/** `"1234.50"` → `¥1,234.50`. Amounts stay text: they are never a float. */
export function yuan(amount: string): string {
  const [whole = '0', cents = '00'] = amount.replace('-', '').split('.')
  return `${amount.startsWith('-') ? '−' : ''}¥${whole.replace(/\B(?=(\d{3})+$)/g, ',')}.${cents}`
}

/** The beginning of a day of UTC+8, as the API wants times. */
export const dayBegin = (day: string): string => new Date(`${day}T00:00:00+08:00`).toISOString()
export const dayEnd = (day: string): string => new Date(Date.parse(dayBegin(day)) + 86_400_000).toISOString()
