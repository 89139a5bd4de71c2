/** Numbers the platform gives out (spec/protocol.md, section 1): a prefix, the time in UTC+8, random digits. */

import { CHINA_MS } from '@acopay/core'

/**
 * Random digits behind the time of an attempt's number, which has 32 characters in all: WeChat Pay takes no longer
 * `out_trade_no` ("Native下单", string(32)).
 */
export const ATTEMPT_DIGITS = 13

/** `AP` for an order, `AR` for a refund, `AT` for an attempt, `AL` for a line of the audit log; with 19 digits 38 characters, not guessable from a neighbour. */
export const platformNumber = (prefix: 'AP' | 'AR' | 'AT' | 'AL', now: Date, digits: string): string =>
  prefix + new Date(now.getTime() + CHINA_MS).toISOString().replace(/\D/g, '').slice(0, 17) + digits

/** A reversal that the upstream has ended without sending anything is tried under another number: `AR…`, `AR…-2`, `AR…-3`. */
export function nextUpstreamNumber(upstreamNo: string): string {
  const [refundNo, count = '1'] = upstreamNo.split('-')
  return `${refundNo}-${Number(count) + 1}`
}

/** Ours, of a number under which an upstream knows a refund. */
export const ownRefundNo = (upstreamNo: string): string => upstreamNo.replace(/-\d+$/, '')

/** When a number was given out, as texts for people are written: in UTC+8, whole seconds. */
export const numberTime = (number: string): string =>
  number.slice(2).replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d).*$/s, '$1-$2-$3T$4:$5:$6+08:00')
