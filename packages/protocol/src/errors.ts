/**
 * The one list of errors: the server, the SDK, the documentation and the tests all read it (spec/protocol.md,
 * section 4). `retry` tells a client whether the same request, with the same numbers and a new nonce, may succeed
 * later by itself.
 */
export const ERRORS = {
  PARAM_ERROR: {
    status: 1001,
    retry: false,
    zh: '参数缺失或格式不正确',
    en: 'A parameter is missing or malformed; fieldErrors names it.',
  },
  SIGN_ERROR: {
    status: 1002,
    retry: false,
    zh: '验签失败或缺少签名请求头',
    en: 'The signature does not verify, or a signature header is missing.',
  },
  MCH_NOT_EXIST: { status: 1003, retry: false, zh: '商户不存在', en: 'No merchant has this number.' },
  MCH_DISABLED: {
    status: 1004,
    retry: false,
    zh: '商户已停用',
    en: 'The merchant is disabled; ask the operator of the gateway.',
  },
  APP_NOT_EXIST: { status: 1005, retry: false, zh: '应用不存在', en: 'This merchant has no such app.' },
  APP_DISABLED: {
    status: 1006,
    retry: false,
    zh: '应用已停用',
    en: 'The app is disabled; ask the operator of the gateway.',
  },
  ORDER_NOT_EXIST: {
    status: 1007,
    retry: false,
    zh: '此订单不存在!',
    en: 'This merchant has no order with this number.',
  },
  ORDER_NOT_PAID: {
    status: 1008,
    retry: false,
    zh: '订单未支付，不能退款',
    en: 'Only a paid order can be refunded.',
  },
  ORDER_STATE_ERROR: {
    status: 1009,
    retry: false,
    zh: '订单状态不允许此操作',
    en: "The order's state does not allow it; query the order.",
  },
  MCH_TRADE_NO_REPEAT: {
    status: 1010,
    retry: false,
    zh: '商户订单号已用于其他参数的订单',
    en: "The merchant's order number was used with other parameters; fieldErrors names the first that differs.",
  },
  REFUND_NOT_EXIST: {
    status: 1011,
    retry: false,
    zh: '此退款不存在!',
    en: 'This merchant has no refund with this number.',
  },
  MCH_REFUND_NO_REPEAT: {
    status: 1012,
    retry: false,
    zh: '商户退款单号已用于其他参数的退款',
    en: "The merchant's refund number was used with other parameters; fieldErrors names the first that differs.",
  },
  REFUND_AMOUNT_EXCEED: {
    status: 1013,
    retry: false,
    zh: '退款总额超过支付金额',
    en: 'Refunds would exceed the amount paid.',
  },
  REFUND_TIMES_EXCEED: {
    status: 1014,
    retry: false,
    zh: '退款次数超过20次',
    en: 'An order can be refunded at most 20 times.',
  },
  REFUND_TIME_EXCEED: {
    status: 1015,
    retry: false,
    zh: '支付已超过180天，不能退款',
    en: 'A refund is possible within 180 days of the payment.',
  },
  NONCE_REPEAT: {
    status: 1016,
    retry: true,
    zh: '随机串已使用，请更换后重试',
    en: 'This nonce was used before; sign again with a new one.',
  },
  FREQUENCY_LIMIT: {
    status: 1017,
    retry: true,
    zh: '请求过于频繁，请稍后重试',
    en: 'Too many requests; wait a moment and try again.',
  },
  IP_FORBIDDEN: {
    status: 1018,
    retry: false,
    zh: '来源地址不在商户白名单内',
    en: "The caller's address is not on the merchant's list.",
  },
  SYSTEM_ERROR: {
    status: 1500,
    retry: true,
    zh: '系统繁忙，请用原单号重试',
    en: 'The gateway failed; try again with the same numbers.',
  },
} as const satisfies Record<string, { status: number; retry: boolean; zh: string; en: string }>

export type ErrorName = keyof typeof ERRORS

/** The contract's limit for `fieldErrors`, in characters. */
export const FIELD_ERRORS_MAX = 50

/**
 * A request that cannot be answered as asked: a value, not an exception. `field` is the name of the wrong parameter where the
 * refusal is about one; it is not on the wire, where `fieldErrors` names the field in its text.
 */
export type Refusal = { refused: ErrorName; fieldErrors: string; field?: string }

/** Makes a refusal. Without a text of its own it has the Chinese text of the list. */
export const refuse = (refused: ErrorName, fieldErrors: string = ERRORS[refused].zh): Refusal => ({
  refused,
  fieldErrors: fieldErrors.slice(0, FIELD_ERRORS_MAX),
})

/** A parameter is missing or malformed; `says` tells in Chinese what it should be. */
export const refuseField = (field: string, says: string): Refusal => ({
  ...refuse('PARAM_ERROR', `${field} ${says}`),
  field,
})

const NOT_A_TEXT: Partial<Record<string, string>> = {
  number: '应为字符串而不是数字',
  boolean: '应为字符串而不是布尔值',
}

/** What to say of a value that is no text. */
export const notAText = (name: string, value: unknown): Refusal =>
  refuseField(name, NOT_A_TEXT[typeof value] ?? '应为字符串而不是对象')

export const isRefusal = (value: object): value is Refusal => 'refused' in value
