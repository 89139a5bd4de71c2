/** What each field of requests, answers and notifications means. A field without a text does not compile. */
import type { ANSWER_FIELDS } from '../answer-fields.ts'
import type { NOTIFICATION_FIELDS, NotificationKind } from '../notifications.ts'
import type { FIELDS } from '../request-fields.ts'
import type { Texts } from './calls.ts'

type NamesIn<Tables> = { [Table in keyof Tables]: keyof Tables[Table] }[keyof Tables]
type RequestName = NamesIn<typeof FIELDS>
type AnswerFieldName = NamesIn<typeof ANSWER_FIELDS> | 'mch_no' | 'nonce' | 'sign_type' | 'sign'
type NotificationName = (typeof NOTIFICATION_FIELDS)[NotificationKind][number] | 'notify_time'

const says = (zh: string, en: string): Texts => ({ zh, en })

const SHARED = {
  transaction_no: says('平台订单号', "The platform's number of the order"),
  mch_trade_no: says(
    '商户订单号，同一商户内唯一',
    "The merchant's number of the order, unique within the merchant: 24 to 50 letters, digits, _ or -",
  ),
  app_no: says('应用编号', "The number of the merchant's app"),
  refund_no: says('平台退款单号', "The platform's number of the refund"),
  mch_refund_no: says(
    '商户退款单号，同一商户内唯一',
    "The merchant's number of the refund, unique within the merchant: 24 to 50 letters, digits, _ or -",
  ),
  amount_total: says(
    '订单金额，字符串，单位元，两位小数，0.01 至 999999.99',
    'The amount as a text in yuan with two decimals, 0.01 to 999999.99',
  ),
  amount_currency: says('币种，固定为 CNY', 'The currency, always CNY'),
  refund_amount: says(
    '退款金额，字符串，单位元，两位小数',
    'The amount to pay back, as a text in yuan with two decimals',
  ),
  refund_reason: says('退款原因', 'The reason of the refund'),
  extra: says('商户附加数据，查询与通知原样返回', "The merchant's own text, given back in queries and notifications"),
  seq: says('通知在订单内的序号', 'The number of the notification within its order'),
} as const

/** The fields of requests. */
export const REQUEST_TEXTS: Record<RequestName, Texts> = {
  ...SHARED,
  description: says('商品描述，显示给付款人', 'What is paid for, shown to the payer'),
  time_expire: says(
    '支付截止时间，RFC 3339，1分钟之后、7天之内，默认2小时后',
    'When the order expires: RFC 3339 with any offset, 1 minute to 7 days ahead; 2 hours where it is left out',
  ),
  notify_url: says(
    '接收通知的地址：https，不带查询参数',
    'The URL to which notifications are posted: https, without a query',
  ),
  bill_date: says(
    '账单日期，北京时间，如 2026-01-31，最近三个月内',
    'A past day of the last three months (UTC+8), such as 2026-01-31',
  ),
  state: says('只要此状态的', 'Only those in this state'),
  before: says('上一页的 next', 'The next of the previous page'),
  from: says('从此时刻起，RFC 3339', 'From this moment on, RFC 3339'),
  until: says('到此时刻之前，RFC 3339', 'Before this moment, RFC 3339'),
  call: says('只查此接口，如 POST close', 'Only this call, such as POST close'),
  status: says('只查此状态码，如 1002', 'Only answers with this status, such as 1002'),
  number: says(
    '只查此订单或退款的调用：平台或商户的号码',
    'Only calls about this order or refund, by a number of the platform or of the merchant',
  ),
}

/** The fields of answers. `code` has a text of its own in each call. */
export const ANSWER_TEXTS: Record<AnswerFieldName, Texts> = {
  ...SHARED,
  code: says('业务结果', 'The business result'),
  description: says('业务结果的说明', 'The business result in words'),
  cashier_url: says('收银台地址，让付款人打开', 'The page at which the payer pays'),
  success_time: says('完成时间，未完成时为 null', 'When it was paid or refunded; null before'),
  acoid: says('付款人标识', 'The payer, as the upstream names it; null where it does not'),
  pay_channel: says('支付渠道', 'The channel of the payment'),
  pay_method: says('支付方式', 'The method of the payment'),
  close_reason: says('关单原因', 'Why the order was closed'),
  fence_time: says('从此时起不能开始新的付款', 'From this moment on no payment could begin'),
  close_time: says('关单完成时间', 'When the close was complete'),
  upstream_answers: says(
    '关单时与各上游的问答，JSON 文本',
    'The exchanges with upstreams while the order was closed, as a text of JSON',
  ),
  timeline_length: says('订单时间线的条数', "The number of entries in the order's timeline"),
  timeline_hash: says('订单时间线的哈希', "The hash over the order's timeline"),
  refund_channel: says('退款渠道', 'The channel of the refund'),
  url: says('对账单的下载地址，30分钟内有效', 'Where the bill can be fetched for 30 minutes'),
  hash_code: says('对账单文件的摘要，小写十六进制', "The digest of the bill's file, in lower-case hexadecimal"),
  hash_type: says('摘要算法', 'The algorithm of the digest'),
  orders: says('订单列表，JSON 文本', 'The orders, as a text of JSON'),
  refunds: says('退款列表，JSON 文本', 'The refunds, as a text of JSON'),
  notifications: says('通知列表，JSON 文本', 'The notifications, as a text of JSON'),
  next: says(
    '下一页的 before，没有下一页时为 null。有 next 的一页也可能是空的',
    'The before of the next page; null on the last. A page with a next may be empty',
  ),
  tries: says('尝试列表，JSON 文本', 'The tries, as a text of JSON'),
  calls: says('调用列表，JSON 文本', 'The calls, as a text of JSON'),
  resent: says('重发的条数', 'How many notifications are sent again'),
  mch_no: says('商户号', 'The merchant number'),
  nonce: says('平台生成的随机串', 'Random text of the platform'),
  sign_type: says('签名算法', 'The algorithm of the signature'),
  sign: says('平台的签名，Base64', 'The signature of the platform, in Base64'),
}

/** The members of notifications. */
export const NOTIFICATION_TEXTS: Record<NotificationName, Texts> = {
  ...SHARED,
  code: says('业务结果', 'The business result'),
  description: ANSWER_TEXTS.description,
  success_time: ANSWER_TEXTS.success_time,
  acoid: ANSWER_TEXTS.acoid,
  reversal_no: says('平台退回单号', "The platform's number of the reversal, as in the bill's refund_no"),
  payment_no: says('渠道的付款流水号', "The upstream's number of the payment"),
  amount: says(
    '付款金额，已全额退回，字符串，两位小数',
    'What was paid, and sent back in full: a text with two decimals',
  ),
  currency: says('付款的币种', 'The currency of the payment'),
  pay_channel: ANSWER_TEXTS.pay_channel,
  paid_time: says('付款时间', 'When it was paid'),
  notify_time: says('本次通知的发送时间', 'When this notification was sent'),
}

/** The rows of lists, and what the payer's page is told. */
export const ROW_TEXTS: Record<string, Texts> = {
  ...SHARED,
  code: says('状态', 'The state'),
  time_expire: says('支付截止时间', 'When the order expires'),
  success_time: says('完成时间，未完成时为 null', 'When it was paid or refunded; null before'),
  acoid: says('付款人标识', 'The payer, as the upstream names it; null where it does not'),
  pay_channel: says('支付渠道', 'The channel of the payment'),
  pay_method: says('支付方式', 'The method of the payment'),
  refund_channel: says('退款渠道', 'The channel of the refund'),
  kind: says(
    '通知种类：payment 支付，refund 退款，sent_back 款项退回',
    'What it is about: a payment, a refund, or money that was sent back',
  ),
  state: says(
    '通知状态：PENDING 待送达，DELIVERED 已送达，DEAD 已停止',
    'PENDING: waits to be sent; DELIVERED: acknowledged; DEAD: given up',
  ),
  description: says('状态的说明', 'The state in words'),
  url: says('通知的地址', 'The URL to which it is posted'),
  tries: says('已尝试的次数', 'How often it was tried'),
  created_time: says('创建时间', 'When it was made'),
  next_time: says('下次尝试的时间，不再尝试时为 null', 'When it is tried next; null where it is not'),
  last_time: says('上次尝试的时间，尚未尝试时为 null', 'When it was tried last; null before the first try'),
  http_status: says(
    '商户服务器的 HTTP 状态，没有回答时为 null',
    "The HTTP status of the merchant's server; null without an answer",
  ),
  failure: says('未送达的原因，已送达时为 null', 'Why it was not delivered; null where it was'),
  time: says('发生的时间', 'When it happened'),
  ms: says('用时，毫秒', 'How long it took, in milliseconds'),
  reply: says('商户服务器的回答', "The answer of the merchant's server"),
  at: says('问答的时间', 'When the upstream was asked'),
  attemptNo: says('支付尝试的编号', 'The number of the attempt'),
  channel: says('支付渠道', 'The channel'),
  verb: says('问了什么：query 查询，close 关闭', 'What was asked: a query or a close'),
  says: says('上游的回答', 'What the upstream answered'),
  requestId: says('上游的请求编号', "The upstream's own number of the exchange"),
  request_id: says('网关的请求编号，网关的日志里也有', "The gateway's number of the request, which its log has, too"),
  call: says('接口：方法与路径', 'Which call: method and path'),
  address: says('请求来自的地址', 'The address from which it came'),
  mch_trade_no: SHARED.mch_trade_no,
  refund_no: SHARED.refund_no,
  mch_refund_no: SHARED.mch_refund_no,
  status: says('应答的状态码', 'The status of the answer'),
  message: says('应答的 message', 'The message of the answer'),
  field_errors: says('应答的 fieldErrors', 'The fieldErrors of the answer'),
  signature: says(
    '验签看到什么：VERIFIED 通过，NOT_CHECKED 请求体读不出，NO_SIGNATURE 不是签名，OTHER_KEY 不是登记的密钥所签，OTHER_DIGEST 摘要算法不对，OTHER_TEXT 签的是另一段文本',
    'What the check of the signature saw. VERIFIED: it is right; NOT_CHECKED: the body could not be read; NO_SIGNATURE: the text is none; OTHER_KEY: made by no key that the gateway has of the merchant; OTHER_DIGEST: by such a key, with another digest than SHA-256; OTHER_TEXT: by such a key, of another text',
  ),
  key_id: says(
    '用到的商户公钥的编号',
    "The id of the merchant's public key that was used: the start of the SHA-256 of its DER",
  ),
  signed_text: says(
    '网关拼出的待签名文本，最多2048个字符',
    'The text that the gateway built and verified against, its first 2048 characters',
  ),
  sent: says('未通过验签时：收到的参数', 'The parameters as they came, where the signature did not verify'),
  signed_digest: says('OTHER_TEXT 时：签名里的 SHA-256', 'The SHA-256 in the signature, for OTHER_TEXT'),
  left_out: says(
    '此前有几次同类调用太密，没有记下',
    'How many calls of this kind before it were not kept, because they came too fast',
  ),
  merchant: says('商户名称', 'The name of the merchant'),
  amount: says('金额，单位元', 'The amount in yuan'),
  expires_at: says('支付截止时间', 'When the order expires'),
  paid_at: says('支付时间，未支付时为 null', 'When it was paid; null before'),
  now: says('网关的时间', "The gateway's time"),
  method: says('付款方式', 'The method'),
  payer: says('钱包登录后得到的付款人标记，仅在钱包内需要', "The payer's token from the sign-in; only wallets need it"),
  good_until: says('在此时间前有效', 'Until when it can be used'),
}
