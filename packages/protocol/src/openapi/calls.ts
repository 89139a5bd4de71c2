/** The calls of the transactions API: the names, texts and refusals that the OpenAPI document has for each of them. */
import type { AnswerName } from '../answer-fields.ts'
import type { ErrorName } from '../errors.ts'
import type { FIELDS } from '../request-fields.ts'
import type { TagName } from './tags.ts'

/** One text in both languages. */
export type Texts = { zh: string; en: string }

/** In one line: a title. */
export const titleOf = ({ zh, en }: Texts): string => `${zh} · ${en}`

/** In two paragraphs: a description. */
export const paragraphsOf = ({ zh, en }: Texts): string => `${zh}\n\n${en}`

export type Call = Texts & {
  fields: keyof typeof FIELDS
  /** The operation's id. The names of its schemas begin with it. */
  id: string
  tag: TagName
  says: Texts
  /** The refusals that this call has beside those of every call. */
  refusals: readonly ErrorName[]
}

/** A call that is missing here or in the table of answers does not compile. */
export const CALLS: Record<AnswerName, Call> = {
  'post trade': {
    fields: 'place',
    id: 'placeOrder',
    tag: 'orders',
    zh: '下单',
    en: 'Place an order',
    says: {
      zh: '创建一笔订单，返回收银台地址 `cashier_url`，让付款人在那里付款。同一商户订单号、同样的参数再次下单，得到同一笔订单；参数不同则返回 1010。由页面递交的参数也可以在请求体内签名：去掉四个签名请求头，改为在请求体中带 `mch_no`、`nonce`、`sign_type`、`sign`。',
      en: 'Creates an order and answers with `cashier_url`, the page at which the payer pays. The same merchant order number with the same parameters gives the same order again; with other parameters the answer is 1010. Parameters that a page passes on may be signed in the body instead: leave out the four signature headers, and send `mch_no`, `nonce`, `sign_type` and `sign` as members of the body.',
    },
    refusals: ['APP_NOT_EXIST', 'APP_DISABLED', 'MCH_TRADE_NO_REPEAT', 'NONCE_REPEAT'],
  },
  'get trade': {
    fields: 'query',
    id: 'queryOrder',
    tag: 'orders',
    zh: '查询订单',
    en: 'Query an order',
    says: {
      zh: '按平台订单号或商户订单号查询订单的状态。两个号码至少填一个，都填时以平台订单号为准。',
      en: "Tells the state of an order, by the platform's number or by the merchant's. At least one is needed; if both are sent, the platform's number counts.",
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'post close': {
    fields: 'close',
    id: 'closeOrder',
    tag: 'orders',
    zh: '关单',
    en: 'Close an order',
    says: {
      zh: '关闭订单，使它不能再被支付。`code` 为 `SUCCESS` 表示订单永远不会变为已支付。`FAIL` 有三种，由 `description` 区分：订单已过期（同样已关闭）、订单已支付（请发货或退款）、关单处理中（请稍后再次关单或查询，期间不能开始新的付款）。',
      en: 'Closes an order, so that it can no longer be paid. `code` `SUCCESS` promises that the order is never paid. `FAIL` has three meanings, told by `description`: 订单已过期, it has expired and is closed as well; 订单已支付, the payer was faster, so deliver or refund; 关单处理中，请稍后查询, the gateway is still closing it, so close or query it again later, while no new payment can begin.',
    },
    refusals: ['ORDER_NOT_EXIST', 'NONCE_REPEAT'],
  },
  'get close/evidence': {
    fields: 'query',
    id: 'getCloseEvidence',
    tag: 'orders',
    zh: '关单凭证',
    en: 'Proof of a close',
    says: {
      zh: '付款人声称为已关闭的订单付过款时，用它证明订单何时关闭、各上游当时如何回答。应答由平台签名。',
      en: 'Proves, to a payer who claims to have paid a closed order, when the gateway closed it and what each upstream answered. The platform signs the answer.',
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'post refund': {
    fields: 'refund',
    id: 'refundOrder',
    tag: 'refunds',
    zh: '退款',
    en: 'Refund',
    says: {
      zh: '退回已支付订单的全部或部分金额：支付后180天内，每单最多20次，合计不超过支付金额。同一商户退款单号、同样的参数再次退款，得到同一笔退款；参数不同则返回 1012。',
      en: 'Pays back a paid order in part or in full: within 180 days of the payment, at most 20 times an order, together not more than was paid. The same merchant refund number with the same parameters gives the same refund again; with other parameters the answer is 1012.',
    },
    refusals: [
      'ORDER_NOT_EXIST',
      'ORDER_STATE_ERROR',
      'ORDER_NOT_PAID',
      'MCH_REFUND_NO_REPEAT',
      'REFUND_AMOUNT_EXCEED',
      'REFUND_TIMES_EXCEED',
      'REFUND_TIME_EXCEED',
      'NONCE_REPEAT',
    ],
  },
  'get refund': {
    fields: 'queryRefund',
    id: 'queryRefund',
    tag: 'refunds',
    zh: '查询退款',
    en: 'Query a refund',
    says: {
      zh: '按平台退款单号或商户退款单号查询退款的状态。两个号码至少填一个，都填时以平台退款单号为准。',
      en: "Tells the state of a refund, by the platform's number or by the merchant's. At least one is needed; if both are sent, the platform's number counts.",
    },
    refusals: ['REFUND_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'get bill': {
    fields: 'bill',
    id: 'getBill',
    tag: 'bills',
    zh: '对账单',
    en: "The day's bill",
    says: {
      zh: '取得某一天（北京时间）的对账单地址。对账单在次日 09:00 之后生成；地址30分钟内有效，用普通 GET 下载，内容为 UTF-8 的 CSV，可用 `hash_code` 核对。',
      en: 'Answers with the address of the bill of one day (UTC+8). The gateway makes a bill after 09:00 of the next day. The address is good for 30 minutes and is fetched with a plain GET; the file is CSV in UTF-8, and `hash_code` is its digest.',
    },
    refusals: [],
  },
  'get orders': {
    fields: 'orders',
    id: 'listOrders',
    tag: 'orders',
    zh: '订单列表',
    en: 'List orders',
    says: {
      zh: '列出商户的订单，新的在前，每页最多100条；可按状态、应用、下单时间（含 `from`，不含 `until`）和订单号筛选。`next` 不为 null 时，把它作为 `before`、其他参数不变，再查下一页。',
      en: "Lists the merchant's orders, newest first, at most 100 a page; by state, app, the time of placing (from `from` on, before `until`) and number. Where `next` is not null, send it as `before` with the same other parameters for the next page.",
    },
    refusals: [],
  },
  'get refunds': {
    fields: 'refunds',
    id: 'listRefunds',
    tag: 'refunds',
    zh: '退款列表',
    en: 'List refunds',
    says: {
      zh: '列出商户的退款，新的在前，每页最多100条；可按状态、订单、申请时间（含 `from`，不含 `until`）和退款单号筛选。`next` 不为 null 时，把它作为 `before`、其他参数不变，再查下一页。',
      en: "Lists the merchant's refunds, newest first, at most 100 a page; by state, order, the time they were asked for (from `from` on, before `until`) and number. Where `next` is not null, send it as `before` with the same other parameters for the next page.",
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'get notifications': {
    fields: 'notifications',
    id: 'listNotifications',
    tag: 'notifications',
    zh: '查询通知',
    en: 'List notifications',
    says: {
      zh: '列出发给商户的通知，新的在前，每页最多100条。`next` 不为 null 时，把它作为 `before` 再查下一页。',
      en: 'Lists the notifications to the merchant, newest first, at most 100 a page. Where `next` is not null, send it as `before` for the next page.',
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'get notifications/tries': {
    fields: 'notificationTries',
    id: 'listNotificationTries',
    tag: 'notifications',
    zh: '通知的尝试',
    en: "A notification's tries",
    says: {
      zh: '列出一条通知最近的发送尝试（最多50次），以及商户服务器每次的回答。',
      en: "Lists the last tries (at most 50) to deliver one notification, and what the merchant's server answered each time.",
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR'],
  },
  'post notifications/resend': {
    fields: 'resend',
    id: 'resendNotifications',
    tag: 'notifications',
    zh: '重发通知',
    en: 'Send notifications again',
    says: {
      zh: '重发一笔订单的全部通知；加 `seq` 只重发其中一条；不填订单号而填 `state=DEAD`，则重发一段时间内所有已停止的通知。',
      en: 'Sends all notifications of an order again; with `seq` only one of them; with `state=DEAD` and no order number, all of a period that the gateway has given up.',
    },
    refusals: ['ORDER_NOT_EXIST', 'ORDER_STATE_ERROR', 'NONCE_REPEAT'],
  },
  'get calls': {
    fields: 'calls',
    id: 'listCalls',
    tag: 'calls',
    zh: '调用记录',
    en: 'The log of calls',
    says: {
      zh: '列出本商户最近的调用在网关看来是怎样的：结果、耗时、请求编号，以及验签时网关拼出的文本、用的公钥、为什么不通过。新的在前，每页最多50条；`next` 不为 null 时，把它作为 `before` 再查下一页。本接口自己的调用不记录。未通过验签的调用（`signature` 不是 `VERIFIED`）可能来自别人。',
      en: "Lists the merchant's last calls as the gateway saw them: result, duration, request id, and of the signature check the text that the gateway built, the key it used and why it failed. Newest first, at most 50 a page; where `next` is not null, send it as `before` for the next page. Calls of this kind are not logged themselves. A call whose signature did not verify (`signature` is not `VERIFIED`) may be a stranger's.",
    },
    refusals: [],
  },
}

/** The refusals that every call may be answered with. */
export const COMMON_REFUSALS: readonly ErrorName[] = [
  'PARAM_ERROR',
  'SIGN_ERROR',
  'MCH_NOT_EXIST',
  'MCH_DISABLED',
  'FREQUENCY_LIMIT',
  'IP_FORBIDDEN',
  'SYSTEM_ERROR',
]
