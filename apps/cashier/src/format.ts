/** Formats money and time for payers. */

/** `1234.50` as `¥1,234.50`. */
export const money = (yuan: string): string => `¥${yuan.replace(/\B(?=(\d{3})+(?=\.))/g, ',')}`

const CHINA = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai', dateStyle: 'short', timeStyle: 'medium' })

/** In China's time, whatever the device's time zone is. */
export const time = (iso: string): string => CHINA.format(new Date(iso))

/** `1:05:09` or `05:09`; never below zero. */
export function countdown(ms: number): string {
  const total = Math.max(0, Math.ceil(ms / 1000))
  const two = (value: number): string => String(value).padStart(2, '0')
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${two(minutes)}:${two(seconds)}`
}
