/**
 * Alipay (opendocs.alipay.com): codes to scan, pages on a telephone and on a desktop.
 * What is known of it, with sources: docs/upstreams/alipay.md.
 */
import { type Channel, orUnknown } from '../contract.ts'
import type { AlipayAccount } from './account.ts'
import { type AlipayDoor, alipayClient } from './client.ts'
import { close } from './close.ts'
import { fetchBill } from './fetch-bill.ts'
import { readNotification, replyToWebhook } from './notification.ts'
import { open } from './open.ts'
import { query } from './query.ts'
import { queryRefund, refund } from './refund.ts'
import { alipaySignIn } from './sign-in.ts'

export type { AlipayAccount } from './account.ts'
export { alipayCertificates } from './certificates.ts'
export type { AlipayDoor } from './client.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export function makeAlipay(account: AlipayAccount, door: AlipayDoor): Channel {
  const alipay = { account, door, client: alipayClient(account, door) }
  return {
    methods: ['native', 'h5', 'page', 'jsapi', 'app'],
    // "qr_code ... 当前有效期为2小时", less what the answer and the payer's telephone take. A page lives as long as its attempt.
    payUrlTtlMs: { native: 2 * HOUR - 5 * MINUTE },
    signIn: alipaySignIn(alipay),
    tradeStartsAtScan: true,
    // "建议商户在退款发起后间隔10秒以上再发起退款查询请求".
    refundVisibleAfterMs: 10_000,
    createInFlightMs: MINUTE,
    latePaymentWindowMs: 24 * HOUR,
    open: (ask, signal) => orUnknown(signal, () => open(alipay, ask, signal)),
    query: (ref, signal) => orUnknown(signal, () => query(alipay, ref, signal)),
    close: (ref, signal) => orUnknown(signal, () => close(alipay, ref, signal)),
    refund: (ask, signal) => orUnknown(signal, () => refund(alipay, ask, signal)),
    queryRefund: (ref, signal) => orUnknown(signal, () => queryRefund(alipay, ref, signal)),
    readWebhook: (raw) => readNotification(alipay, raw),
    replyToWebhook,
    fetchUpstreamBill: (day, signal) => orUnknown(signal, () => fetchBill(alipay, day, signal)),
  }
}
