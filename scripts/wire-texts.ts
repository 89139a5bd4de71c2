/**
 * What the tables of docs/wire/ say about each field and each error, in Chinese and English. The names come from the code's
 * tables: one that has no text here does not compile.
 */
import {
  AMOUNT_FEN_MAX,
  AMOUNT_FEN_MIN,
  DAY_MS,
  EXPIRY_DEFAULT_MS,
  EXPIRY_MAX_MS,
  EXPIRY_MIN_MS,
  formatYuan,
  REFUND_WINDOW_MS,
  REFUNDS_MAX,
} from '@acopay/core'
import type {
  ANSWER_FIELDS,
  ErrorName,
  FIELDS,
  ListedOrder,
  ListedRefund,
  NOTIFICATION_FIELDS,
  NotificationKind,
} from '@acopay/protocol'

export type Tongue = 'zh' | 'en'
export type Both = Record<Tongue, string>

type KeysOfEach<Of> = Of extends unknown ? keyof Of : never

export type CallName = keyof typeof ANSWER_FIELDS
type RequestField = KeysOfEach<(typeof FIELDS)[keyof typeof FIELDS]>
type AnswerField = KeysOfEach<(typeof ANSWER_FIELDS)[CallName]>
type RowField = keyof ListedOrder | keyof ListedRefund
type NotificationField = (typeof NOTIFICATION_FIELDS)[NotificationKind][number]

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

const AMOUNTS = `"${formatYuan(AMOUNT_FEN_MIN)}" … "${formatYuan(AMOUNT_FEN_MAX)}"`
const AMOUNT: Both = {
  zh: `元，恰好两位小数的文本，${AMOUNTS}；JSON数字会被拒绝`,
  en: `yuan as a text with exactly two decimals, ${AMOUNTS}; a JSON number is refused`,
}
const NOTIFY_URL: Both = {
  zh: '通知地址：HTTPS，不带查询参数、用户名、密码和 `#`；沙箱中也可以是本机的 `http://127.0.0.1:…`',
  en: 'where notifications go: HTTPS, without query, user name, password and `#`; in the sandbox also `http://127.0.0.1:…`',
}

/** Of the fields of requests. */
export const REQUEST_TEXTS: Record<RequestField, Both> = {
  transaction_no: {
    zh: '平台订单号；与 `mch_trade_no` 二选一，都填时以它为准',
    en: "the platform's number of the order; this or `mch_trade_no`, and this one wins",
  },
  mch_trade_no: {
    zh: '商户订单号，同一商户下唯一：它就是幂等键',
    en: 'your own number of the order, unique within your merchant: it is the idempotency key',
  },
  app_no: { zh: '应用号，属于该商户', en: 'the number of an app of yours' },
  description: { zh: '商品描述，付款人会看到', en: 'what is bought; the payer sees it' },
  amount_total: AMOUNT,
  amount_currency: { zh: '固定为 `CNY`', en: 'always `CNY`' },
  time_expire: {
    zh: `付款截止时间，RFC 3339，任意时区；${EXPIRY_MIN_MS / MINUTE_MS}分钟至${EXPIRY_MAX_MS / DAY_MS}天之后，默认${EXPIRY_DEFAULT_MS / HOUR_MS}小时`,
    en: `until when it can be paid: RFC 3339, any offset, ${EXPIRY_MIN_MS / MINUTE_MS} minute to ${EXPIRY_MAX_MS / DAY_MS} days from now; default ${EXPIRY_DEFAULT_MS / HOUR_MS} hours`,
  },
  extra: { zh: '原样出现在查询和通知中', en: 'given back in queries and notifications' },
  notify_url: NOTIFY_URL,
  mch_refund_no: {
    zh: '商户退款单号，同一商户下唯一：它就是幂等键',
    en: 'your own number of the refund, unique within your merchant: it is the idempotency key',
  },
  refund_no: {
    zh: '平台退款单号；与 `mch_refund_no` 二选一，都填时以它为准',
    en: "the platform's number of the refund; this or `mch_refund_no`, and this one wins",
  },
  refund_amount: AMOUNT,
  refund_reason: { zh: '退款原因', en: 'why' },
  bill_date: {
    zh: 'UTC+8 的日期 `yyyy-MM-dd`，最近三个月内已过去的一天',
    en: 'a day `yyyy-MM-dd` in UTC+8, a past one of the last three months',
  },
  state: { zh: '只要此状态的', en: 'only those in this state' },
  before: { zh: '上一页应答中的 `next`', en: 'the `next` of the page before' },
  seq: { zh: '通知在订单内的序号', en: "the notification's number within its order" },
  from: { zh: '自此时刻起（含），RFC 3339，任意时区', en: 'from this moment on: RFC 3339, any offset' },
  until: { zh: '至此时刻（不含），RFC 3339，任意时区', en: 'before this moment: RFC 3339, any offset' },
  call: { zh: '只看此接口，如 `POST close`', en: 'only this call, such as `POST close`' },
  status: { zh: '只看此状态码，如 `1002`', en: 'only this status, such as `1002`' },
  number: { zh: '只看此订单或退款：平台或商户的号码', en: 'only this order or refund, by a number of either side' },
}

/** Of the fields of answers, of the rows of lists, and of notifications. */
export const ANSWER_TEXTS: Record<AnswerField | RowField | NotificationField, Both> = {
  app_no: { zh: '应用号', en: 'the app' },
  mch_trade_no: { zh: '商户订单号', en: 'your number of the order' },
  transaction_no: { zh: '平台订单号，38个字符', en: "the platform's number of the order, 38 characters" },
  code: { zh: '业务结果：程序按它判断', en: 'the business result: decide by it' },
  description: { zh: '业务结果的中文说明，给人看', en: 'the business result in Chinese, for people' },
  cashier_url: { zh: '收银台地址，让付款人打开', en: 'where to send the payer' },
  extra: { zh: '下单时的 `extra`', en: 'the `extra` of the order' },
  success_time: { zh: '成功时间，未成功为 null', en: 'when it succeeded; null before' },
  acoid: { zh: '付款人标识', en: 'the payer' },
  amount_total: { zh: '订单金额，元', en: "the order's amount in yuan" },
  amount_currency: { zh: '`CNY`', en: '`CNY`' },
  pay_channel: { zh: '支付渠道', en: 'how it was paid' },
  pay_method: { zh: '支付方式', en: 'how it was paid within the channel' },
  close_reason: { zh: '关单原因', en: 'why it was closed, in Chinese' },
  fence_time: { zh: '从此刻起不能再发起支付', en: 'from then on no payment could be started' },
  close_time: { zh: '从此刻起，已发起的支付也不能完成', en: 'from then on no started payment could be completed' },
  upstream_answers: {
    zh: 'JSON数组的文本：关单时与上游的每次往来',
    en: 'a text with a JSON array: every exchange with the upstreams while it was closed',
  },
  timeline_length: { zh: '订单时间线的条数', en: "how many entries the order's timeline has" },
  timeline_hash: {
    zh: '时间线最后一条的哈希，涵盖之前所有条目',
    en: 'the hash of the last entry; it covers all before it',
  },
  mch_refund_no: { zh: '商户退款单号', en: 'your number of the refund' },
  refund_no: { zh: '平台退款单号', en: "the platform's number of the refund" },
  refund_amount: { zh: '退款金额，元', en: 'the amount of the refund in yuan' },
  reversal_no: {
    zh: '平台退回单号，即账单中的 `refund_no`',
    en: "the platform's number of the reversal: the bill's `refund_no`",
  },
  payment_no: { zh: '渠道的付款流水号', en: "the upstream's number of the payment" },
  amount: { zh: '付款金额，已全额退回', en: 'what was paid, and went back in full' },
  currency: { zh: '付款的币种', en: 'the currency of the payment' },
  paid_time: { zh: '付款时间', en: 'when it was paid' },
  refund_channel: { zh: '退款渠道', en: 'the way the money goes back' },
  refund_reason: { zh: '退款原因', en: 'why' },
  url: {
    zh: '下载地址，30分钟内有效，普通GET，不带签名头',
    en: 'fetch it within 30 minutes: a plain GET, without the headers',
  },
  hash_code: { zh: '文件的摘要，小写十六进制', en: "the file's digest, lower-case hex" },
  hash_type: { zh: '摘要算法', en: 'how the digest is made' },
  orders: {
    zh: 'JSON数组的文本，最新的在前，每页100条',
    en: 'a text with a JSON array, the newest first, 100 a page',
  },
  refunds: {
    zh: 'JSON数组的文本，最新的在前，每页100条',
    en: 'a text with a JSON array, the newest first, 100 a page',
  },
  created_time: { zh: '创建时间', en: 'when it was made' },
  time_expire: { zh: '付款截止时间', en: 'until when it can be paid' },
  notifications: {
    zh: 'JSON数组的文本，最新的在前，每页100条',
    en: 'a text with a JSON array, the newest first, 100 a page',
  },
  next: {
    zh: '下一页的 `before`；null：没有了。有 `next` 的一页也可能是空的',
    en: 'the `before` of the next page; null: there is none. A page with a `next` may be empty',
  },
  tries: { zh: 'JSON数组的文本：最近50次尝试', en: 'a text with a JSON array: the last 50 tries' },
  calls: { zh: 'JSON数组的文本，最新的在前，每页50条', en: 'a text with a JSON array, the newest first, 50 a page' },
  resent: { zh: '重发的条数，每次最多10 000', en: 'how many are sent again, at most 10 000 a call' },
}

/** Of the members that the signature adds to each answer and notification. */
export const SIGNATURE_TEXTS: Record<string, Both> = {
  mch_no: { zh: '商户号：必须是自己的', en: 'the merchant: has to be you' },
  nonce: { zh: '随机串，每次不同', en: 'random, another one each time' },
  sign_type: { zh: '`SHA256withRSA`', en: '`SHA256withRSA`' },
  notify_time: { zh: '本次发送的时间，每次不同', en: 'when this was sent: another time at each try' },
  sign: { zh: '签名，不参与签名', en: 'the signature; not part of the signed text' },
}

/** What a caller does about each error. */
export const ADVICE: Record<ErrorName, Both> = {
  PARAM_ERROR: {
    zh: '`fieldErrors` 指出字段；改正后用新的随机串再发。应答没有签名的，是请求体不是JSON，或该写文本处写了数字',
    en: '`fieldErrors` names the field; correct it and send it with a new nonce. Unsigned, where the body is no JSON or has a number in place of a text',
  },
  SIGN_ERROR: {
    zh: '用[签名](signing.zh-CN.md)页逐步对照，或运行 `npm run acopay -- verify`。这个应答没有签名，不能当作订单的结果',
    en: 'compare step by step with [signing](signing.md), or run `npm run acopay -- verify`. The answer is unsigned: it says nothing about the order',
  },
  MCH_NOT_EXIST: { zh: '核对商户号和网关地址', en: "check the merchant number and the gateway's address" },
  MCH_DISABLED: { zh: '联系网关的运营方', en: 'ask the operator of the gateway' },
  APP_NOT_EXIST: { zh: '核对应用号', en: 'check the number of the app' },
  APP_DISABLED: { zh: '联系网关的运营方', en: 'ask the operator of the gateway' },
  ORDER_NOT_EXIST: {
    zh: '核对单号。下单没有收到应答、来查询时得到它，说明没有下成：用同一单号再下一次',
    en: 'check the number. After a placing without an answer it means that there is no order: place again, same number',
  },
  ORDER_NOT_PAID: { zh: '未支付的订单请关单', en: 'close an order that is not paid' },
  ORDER_STATE_ERROR: {
    zh: '先查询订单；已归档的，请网关运营方恢复',
    en: 'query the order first; one that is archived the operator of the gateway brings back',
  },
  MCH_TRADE_NO_REPEAT: {
    zh: '这个单号已下过内容不同的订单，`fieldErrors` 指出第一个不同的字段；新订单用新单号',
    en: 'the number belongs to an order with other contents, and `fieldErrors` names the first field that differs: a new order needs a new number',
  },
  REFUND_NOT_EXIST: { zh: '核对退款单号', en: 'check the number of the refund' },
  MCH_REFUND_NO_REPEAT: {
    zh: '这个退款单号已用于另一笔退款。换单号之前先查询，以免退两次',
    en: 'the number belongs to another refund. Query it before you take a new number, or you may refund twice',
  },
  REFUND_AMOUNT_EXCEED: { zh: '查询已有的退款，减小金额', en: 'query the refunds that there are; ask for less' },
  REFUND_TIMES_EXCEED: {
    zh: `一个订单最多退款${REFUNDS_MAX}次；余下的请用别的方式退`,
    en: `an order has at most ${REFUNDS_MAX} refunds: return the rest in another way`,
  },
  REFUND_TIME_EXCEED: {
    zh: `支付${REFUND_WINDOW_MS / DAY_MS}天以后，请用别的方式退`,
    en: `later than ${REFUND_WINDOW_MS / DAY_MS} days after the payment: return it in another way`,
  },
  NONCE_REPEAT: { zh: '换一个随机串，重新签名再发', en: 'sign again with a new nonce' },
  FREQUENCY_LIMIT: { zh: '稍等再发，间隔逐次加长', en: 'wait, longer each time, and send again' },
  IP_FORBIDDEN: { zh: '请运营方把服务器地址加入名单', en: 'have the operator add the address of your server' },
  SYSTEM_ERROR: {
    zh: '结果未知：用同样的单号、新的随机串再发，或先查询',
    en: 'the outcome is unknown: send again with the same numbers and a new nonce, or query',
  },
}
