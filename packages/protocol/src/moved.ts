/** How the band of a sandbox says that its clock was moved ahead. */

const UNITS = [
  [86_400, '天', 'd'],
  [3600, '小时', 'h'],
  [60, '分钟', 'min'],
] as const

/** Empty where the clock was not moved by a minute. */
export function movedText(aheadSeconds: number): string {
  const parts = UNITS.map(([seconds, zh, en], place) => {
    const above = UNITS[place - 1]?.[0] ?? Number.POSITIVE_INFINITY
    return { count: Math.floor((aheadSeconds % above) / seconds), zh, en }
  }).filter(({ count }) => count > 0)
  if (parts.length === 0) return ''
  const zh = parts.map((part) => part.count + part.zh).join('')
  const en = parts.map((part) => `${part.count} ${part.en}`).join(' ')
  return ` · 时钟已快进${zh} clock moved ahead by ${en}`
}
