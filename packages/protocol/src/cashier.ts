/**
 * The calls of the payer's page and their answers. Any program with an order's `cashier_url` may make them, so both are
 * in the OpenAPI document. The page's event stream and the payer's sign-in are internal and are not.
 */
import { oneOf, type Row, text, textOrNull, time, timeOrNull, type ValuesOf } from './answer-fields.ts'

/** `GET {cashier_url}/state`: amounts in yuan, times ISO 8601 in UTC. */
export const PAYER_VIEW = {
  transaction_no: text,
  merchant: text,
  description: text,
  amount: text,
  phase: {
    ...oneOf('open', 'closing', 'closed', 'expired', 'paid', 'refunded', 'returning', 'returned'),
    description:
      'closing: 暂时不能付款，结果未知 (cannot be paid, and it is not known whether it was); returning, returned: 关闭后到达的款项正在退回、已退回 (closed, and money that came too late goes back, or has)',
  },
  extra: {
    type: ['string', 'null'],
    enum: ['returning', 'returned', null],
    description: '同一订单的另一笔付款的退回 (a second payment of the same order goes back)',
  },
  expires_at: time,
  paid_at: timeOrNull,
} as const satisfies Row

export type PayerView = ValuesOf<typeof PAYER_VIEW>

/** `POST {cashier_url}/attempts` with `channel`, `method` and, inside a wallet, `payer`. */
const WAY = {
  channel: text,
  method: text,
  pay_url: {
    ...textOrNull,
    description: '二维码内容、付款页地址或钱包参数；null：上游结果未知，稍后再问 (null: in doubt, ask again)',
  },
  good_until: time,
} as const satisfies Row

export type OpenedWay = ValuesOf<typeof WAY>

const ATTEMPT_REFUSALS: Record<number, string> = {
  400: 'FIELD_INVALID: 请求有误 (the request is wrong)',
  401: 'PAYER_UNKNOWN: 需先由钱包确认付款人 (the wallet has to say who pays)',
  404: '链接错误，或 UNAVAILABLE: 商户没有此付款方式 (a wrong link, or no such way to pay)',
  409: '订单不能再付款 (the order cannot be paid any more)',
  429: 'TOO_MANY_ATTEMPTS, FREQUENCY_LIMIT: 次数过多 (too many)',
  502: 'UPSTREAM_REFUSED: 上游拒绝，请换一种付款方式 (the upstream said no, another way may work)',
}

const LINK = ['mch_no', 'transaction_no', 'proof'].map((name) => ({
  name,
  in: 'path',
  required: true,
  schema: text,
}))

const answered = (description: string, properties: Row) => ({
  description,
  content: { 'application/json': { schema: { type: 'object', required: Object.keys(properties), properties } } },
})

/** The cashier's paths for the OpenAPI document. The calls are unsigned and begin at the gateway's root. */
export function cashierPaths(serverUrl: string): Record<string, object> {
  const link = '/cashier/{mch_no}/{transaction_no}/{proof}'
  const way = { type: 'object', required: ['channel', 'method'] }
  const refusals = Object.entries(ATTEMPT_REFUSALS).map(([status, description]) => [status, { description }])
  return {
    [`${link}/state`]: {
      servers: [{ url: serverUrl || '/' }],
      parameters: LINK,
      get: {
        operationId: 'cashier_state',
        summary: '收银台：订单状态 The order as its payer sees it',
        responses: {
          200: answered('订单 (the order)', { ...PAYER_VIEW, now: time }),
          404: { description: '链接错误 (a wrong link)' },
        },
      },
    },
    [`${link}/attempts`]: {
      servers: [{ url: serverUrl || '/' }],
      parameters: LINK,
      post: {
        operationId: 'cashier_attempts',
        summary: '收银台：打开付款方式 Open a way to pay',
        requestBody: {
          required: true,
          content: {
            'application/json': { schema: { ...way, properties: { channel: text, method: text, payer: textOrNull } } },
          },
        },
        responses: { 200: answered('付款方式 (the way to pay)', WAY), ...Object.fromEntries(refusals) },
      },
    },
  }
}
