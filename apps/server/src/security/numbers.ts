/** The platform's numbers (spec/protocol.md, section 1): a prefix, the time in UTC+8, random digits. */

import { CHINA_MS } from '@acopay/core'

/**
 * The number of random digits in an attempt's number. It has 32 characters in all, because that is the longest `out_trade_no`
 * that WeChat Pay accepts ("Native下单", string(32)).
 */
export const ATTEMPT_DIGITS = 13

/**
 * `AP`: order; `AR`: refund or reversal; `AT`: attempt; `AL`: entry of the audit log. With 19 digits it has 38 characters
 * and cannot be guessed from another number.
 */
export const platformNumber = (prefix: 'AP' | 'AR' | 'AT' | 'AL', now: Date, digits: string): string =>
  prefix + new Date(now.getTime() + CHINA_MS).toISOString().replace(/\D/g, '').slice(0, 17) + digits

/** The next number of a reversal whose refund the upstream has ended without sending money: `AR…`, `AR…-2`, `AR…-3`. */
export function nextUpstreamNumber(upstreamNo: string): string {
  const [refundNo, count = '1'] = upstreamNo.split('-')
  return `${refundNo}-${Number(count) + 1}`
}

/** Our number of a refund or reversal, from the number under which the upstream knows it. */
export const ownRefundNo = (upstreamNo: string): string => upstreamNo.replace(/-\d+$/, '')

/** The time in a platform number, as the console shows times: in UTC+8, whole seconds. */
export const numberTime = (number: string): string =>
  number.slice(2).replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d).*$/s, '$1-$2-$3T$4:$5:$6+08:00')
