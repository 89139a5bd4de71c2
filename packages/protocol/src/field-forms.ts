/** The forms of times and addresses in requests. */
import { type Refusal, refuseField } from './errors.ts'

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/

export function parseTime(name: string, text: string): Date | Refusal {
  const found = RFC_3339.exec(text)
  if (!isInCalendar(found)) return refuseField(name, '应为RFC 3339,如2026-01-31T08:00:00+08:00')
  return new Date(text)
}

/** Date.parse reads 31 February as 3 March, so the day is checked. What was not found is NaN, and NaN is in no range. */
export function isInCalendar(found: RegExpExecArray | null): boolean {
  const [year, month, day] = [Number(found?.[1]), Number(found?.[2]), Number(found?.[3])]
  return month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

const daysInMonth = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate()

const LOOPBACK = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|localhost|\[::1\])$/

// URL accepts blanks, control characters, backslashes and missing slashes; other programs may read such a text differently.
// biome-ignore lint/suspicious/noControlCharactersInRegex: the control characters are the point
const PLAIN_URL = /^[a-z]+:\/\/(?!\/)[^\u0000-\u0020\u007f\\]+$/i

/** HTTPS without query, credentials or fragment; plain HTTP to loopback where the gateway is a sandbox. */
export function parseNotifyUrl(name: string, text: string, rule: { loopbackHttp: boolean }): string | Refusal {
  const url = PLAIN_URL.test(text) && URL.canParse(text) ? new URL(text) : null
  if (url === null) return refuseField(name, '不是有效的网址')
  const isLoopbackHttp = url.protocol === 'http:' && LOOPBACK.test(url.hostname)
  if (url.protocol !== 'https:' && !(rule.loopbackHttp && isLoopbackHttp)) {
    return refuseField(name, '必须是https地址')
  }
  if (text.includes('?')) return refuseField(name, '不能带查询参数')
  if (text.includes('#') || url.username !== '' || url.password !== '') {
    return refuseField(name, '不能带用户名、密码或#')
  }
  return text
}
