/**
 * WeChat Pay API v3 (pay.weixin.qq.com/doc/v3/merchant): native, H5, JSAPI and app payments,
 * of a merchant of its own or of a service provider's sub-merchant.
 * What is known of it, with sources: docs/upstreams/wechat-pay.md.
 */
import { type Channel, orUnknown } from '../contract.ts'
import type { WechatAccount } from './account.ts'
import { type WechatDoor, wechatClient } from './client.ts'
import { close } from './close.ts'
import { fetchBill } from './fetch-bill.ts'
import { readNotification, replyToWebhook } from './notification.ts'
import { open } from './open.ts'
import { miniPartyOf, partyOf } from './party.ts'
import { query } from './query.ts'
import { queryRefund, refund } from './refund.ts'
import { wechatMiniSignIn, wechatSignIn } from './sign-in.ts'

export type { WechatAccount } from './account.ts'
export type { WechatDoor } from './client.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

export function makeWechat(account: WechatAccount, door: WechatDoor): Channel {
  const party = partyOf(account)
  const mini = miniPartyOf(account)
  const wechat = { account, party, mini, door, client: wechatClient(account, door) }
  return {
    methods: ['native', 'h5', 'jsapi', 'app', ...(mini === null ? [] : (['mini'] as const))],
    // `code_url` and `prepay_id` live two hours. `h5_url` lives five minutes ("H5下单"), of which the payer has one to
    // open it.
    payUrlTtlMs: { native: 2 * HOUR, h5: 4 * MINUTE, jsapi: 2 * HOUR, app: 2 * HOUR, mini: 2 * HOUR },
    signIn: wechatSignIn({ ...account, appId: party.payerAppId }, door),
    ...(mini === null ? {} : wechatMiniSignIn({ ...account, appId: mini.payerAppId }, door)),
    tradeStartsAtScan: false,
    refundVisibleAfterMs: 0,
    // WeChat Pay accepts a request whose timestamp is up to five minutes old, so one that was held up on the way may still
    // be carried out so long after it was sent.
    createInFlightMs: 5 * MINUTE,
    latePaymentWindowMs: 24 * HOUR,
    open: (ask, signal) => orUnknown(signal, () => open(wechat, ask, signal)),
    query: (ref, signal) => orUnknown(signal, () => query(wechat, ref, signal)),
    close: (ref, signal) => orUnknown(signal, () => close(wechat, ref, signal)),
    refund: (ask, signal) => orUnknown(signal, () => refund(wechat, ask, signal)),
    queryRefund: (ref, signal) => orUnknown(signal, () => queryRefund(wechat, ref, signal)),
    readWebhook: (raw) => readNotification(wechat, raw),
    replyToWebhook,
    fetchUpstreamBill: (day, signal) => orUnknown(signal, () => fetchBill(wechat, day, signal)),
  }
}
