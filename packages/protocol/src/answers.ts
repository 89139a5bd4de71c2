/**
 * The business results on the wire: codes and Chinese descriptions. The platform publishes only some of them; those
 * marked [ours] in spec/protocol.md are all in this file, so that they are easy to change.
 */

/** The outcomes of `POST close` (spec 3.1). */
export const CLOSE_ANSWERS = {
  closed: { code: 'SUCCESS', description: '关单成功' },
  expired: { code: 'FAIL', description: '订单已过期' },
  paid: { code: 'FAIL', description: '订单已支付' },
  closing: { code: 'FAIL', description: '关单处理中，请稍后查询' },
} as const

export type CloseOutcome = keyof typeof CLOSE_ANSWERS

/** The states a merchant sees in `GET trade` (spec 3.3). */
export const STATE_ANSWERS = {
  NOTPAY: '未支付',
  CLOSING: '关单中',
  CLOSED: '已关闭',
  SUCCESS: '支付成功',
  REFUND: '转入退款',
} as const

/**
 * The payment notification with code `REFUND` [ours]: the upstream, or the merchant in the upstream's own pages, has
 * returned the order's payment. A refund through this gateway has a refund notification instead.
 */
export const RETURNED_OUTSIDE_TEXT = '款项已在支付渠道退回，非经本网关'

/** Why a payment that an order did not keep went back to the payer, in full [ours]: the codes of the notification of it. */
export const SENT_BACK_ANSWERS = {
  LATE: '订单关闭后付款，已全额退回付款人',
  SECOND: '订单已支付，重复付款已全额退回付款人',
  WRONG_AMOUNT: '付款金额与订单不符，已全额退回付款人',
} as const

export type SentBackCode = keyof typeof SENT_BACK_ANSWERS

/** The states of a refund (spec 3.4). */
export const REFUND_ANSWERS = {
  PROCESSING: '退款处理中',
  SUCCESS: '退款成功',
  FAIL: '退款失败',
} as const

export type RefundState = keyof typeof REFUND_ANSWERS

/** Why an order was closed, in the answer of `GET close/evidence` [ours]. */
export const CLOSE_REASON_TEXTS = { MERCHANT: '商户关单', EXPIRED: '超时关单', OPERATOR: '运营关单' } as const

/** The answer of `POST trade` (spec 3.2). */
export const PLACED_ANSWER = { code: 'SUCCESS', description: '下单成功' } as const

/** Path prefix of every call of the transactions API. */
export const BASE_PATH = '/pay/v1/transactions/'

const CHINA_MS = 8 * 3600 * 1000

/**
 * RFC 3339 in +08:00 without a fraction: the official SDK reads no other form (spec 1). China has no daylight saving.
 */
export const timeText = (time: Date): string =>
  `${new Date(time.getTime() + CHINA_MS).toISOString().slice(0, 19)}+08:00`

/** The states of a notification, in the answer of `GET notifications` [ours]. */
export const NOTIFICATION_ANSWERS = { PENDING: '待送达', DELIVERED: '已送达', DEAD: '已停止' } as const

/** The answer of calls that return no result of their own [ours]. */
export const DONE_ANSWER = { code: 'SUCCESS', description: '成功' } as const

/** The answers of `GET bill` (spec 3.6). */
export const BILL_ANSWERS = {
  SUCCESS: { code: 'SUCCESS', description: '成功' },
  NO_BILL: { code: 'NO_BILL', description: '账单不存在' },
  BILL_NOT_EXIST: { code: 'BILL_NOT_EXIST', description: '对账单未生成' },
} as const

export const BILL_HASH_TYPE = 'SHA256'
