/** The platform's numbers (spec/protocol.md, section 1): a prefix, the time in UTC+8, random digits. */

import { createHmac } from 'node:crypto'
import { CHINA_MS } from '@acopay/core'

/** Decimal digits computed from a text with this installation's key: the same text gives the same digits, and without the key they cannot be guessed. */
export type KeyedDigits = (text: string, digits: number) => string

export const keyedDigits =
  (key: Buffer): KeyedDigits =>
  (text, digits) =>
    (createHmac('sha256', key).update(text, 'utf8').digest().readBigUInt64BE() % 10n ** BigInt(digits))
      .toString()
      .padStart(digits, '0')

/**
 * The number of digits after the time in an attempt's number. It has 32 characters in all, because that is the longest `out_trade_no`
 * that WeChat Pay accepts ("Native下单", string(32)).
 */
const ATTEMPT_DIGITS = 13
const REFUND_DIGITS = 19

/**
 * `AP`: order; `AR`: refund or reversal; `AT`: attempt; `AL`: entry of the audit log; `ON`: note; `IV`: invitation. With 19 digits it has 38 characters
 * and cannot be guessed from another number.
 */
export const platformNumber = (prefix: 'AP' | 'AR' | 'AT' | 'AL' | 'ON' | 'IV', now: Date, digits: string): string =>
  prefix + new Date(now.getTime() + CHINA_MS).toISOString().replace(/\D/g, '').slice(0, 17) + digits

/**
 * The number of an order's attempt `nth` (1, 2, …) if it goes through this channel. Its time is the order's. It follows from the
 * order, so that after a restore the upstream can be asked for attempts that the books have lost (docs/backup.md).
 */
export const attemptNumber = (
  keyedDigits: KeyedDigits,
  { transactionNo }: { transactionNo: string },
  { nth, channel }: { nth: number; channel: string },
): string =>
  `AT${transactionNo.slice(2, 19)}${keyedDigits(`attempt\n${transactionNo}\n${nth}\n${channel}`, ATTEMPT_DIGITS)}`

type MerchantsRefund = { mchNo: string; mchRefundNo: string }

/** A refund's number; its digits follow from its time and the merchant's number, so that it is recognised where the books have lost it. */
export const refundNumber = (keyedDigits: KeyedDigits, refund: MerchantsRefund, now: Date): string =>
  refundNumberFrom(keyedDigits, refund, platformNumber('AR', now, ''))

export const isRefundNumberOf = (keyedDigits: KeyedDigits, refundNo: string, refund: MerchantsRefund): boolean =>
  refundNumberFrom(keyedDigits, refund, refundNo.slice(0, 19)) === refundNo

const refundNumberFrom = (keyedDigits: KeyedDigits, { mchNo, mchRefundNo }: MerchantsRefund, head: string): string =>
  head + keyedDigits(`refund\n${head}\n${mchNo}\n${mchRefundNo}`, REFUND_DIGITS)

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
