/** Times, spans and names in the sentences of a story, in both languages. */

export type Said = { zh: string; en: string }
export const said = (zh: string, en: string): Said => ({ zh, en })

const CHINA_MS = 8 * 3_600_000

const inChina = (iso: string): string => new Date(Date.parse(iso) + CHINA_MS).toISOString()

/** `12:03:07`; with its day where that is not the day of `beside`: `03-02 00:00:01`, `2027-01-01 00:00:01`. */
export function timeIn(iso: string, beside: string): string {
  const [text, other] = [inChina(iso), inChina(beside)]
  const clock = text.slice(11, 19)
  if (text.slice(0, 10) === other.slice(0, 10)) return clock
  const day = text.slice(0, 4) === other.slice(0, 4) ? text.slice(5, 10) : text.slice(0, 10)
  return `${day} ${clock}`
}

const UNITS = [
  [86_400, '天', 'day'],
  [3600, '小时', 'hour'],
  [60, '分', 'minute'],
  [1, '秒', 'second'],
] as const

/** The seconds between two moments, in either order, by their two largest units: `40 秒`, `1 小时 5 分`. */
export function gapBetween(one: string, other: string): Said {
  const seconds = Math.floor(Math.abs(Date.parse(other) - Date.parse(one)) / 1000)
  if (seconds === 0) return said('不到 1 秒', 'less than a second')
  const parts = UNITS.map(([size, zh, en], place) => {
    const above = UNITS[place - 1]?.[0] ?? Number.POSITIVE_INFINITY
    return { count: Math.floor((seconds % above) / size), zh, en }
  })
  const first = parts.findIndex(({ count }) => count > 0)
  const two = parts.slice(first, first + 2).filter(({ count }) => count > 0)
  return said(
    two.map(({ count, zh }) => `${count} ${zh}`).join(' '),
    two.map(({ count, en }) => `${count} ${en}${count === 1 ? '' : 's'}`).join(' '),
  )
}

const CHANNELS: Record<string, Said> = {
  wechat: said('微信支付', 'WeChat Pay'),
  alipay: said('支付宝', 'Alipay'),
}

/** A channel that has no name here keeps its code. */
export const nameOfChannel = (code: string): Said => CHANNELS[code] ?? said(` ${code} `, code)
