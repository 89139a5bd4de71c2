/**
 * The calls of the payer's page and their answers. Any program with an order's `cashier_url` may make them, so both are
 * in the OpenAPI document (openapi/cashier-paths.ts). The page's event stream and the payer's sign-in are internal and are not.
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
      'closing：暂时不能付款，结果未知；returning、returned：关闭后到达的款项正在退回、已退回\n\nclosing: cannot be paid, and it is not known whether it was; returning, returned: closed, and a payment that came too late is being sent back, or has been',
  },
  extra: {
    type: ['string', 'null'],
    enum: ['returning', 'returned', null],
    description: '同一订单的另一笔付款的退回\n\nA second payment of the same order is being sent back, or has been',
  },
  expires_at: time,
  paid_at: timeOrNull,
} as const satisfies Row

export type PayerView = ValuesOf<typeof PAYER_VIEW>

/** `POST {cashier_url}/attempts` with `channel`, `method` and, inside a wallet, `payer`. */
export const WAY = {
  channel: text,
  method: text,
  pay_url: {
    ...textOrNull,
    description:
      '二维码内容、付款页地址或钱包参数；null：上游结果未知，稍后再问\n\nThe contents of a QR code, the address of a page or the parameters of a wallet; null: in doubt, ask again',
  },
  good_until: time,
} as const satisfies Row

export type OpenedWay = ValuesOf<typeof WAY>

/**
 * What the pages of an order show of the merchant's shop; null for what is not set. `return_url` is the app's stored address; the page
 * adds what became of the order. `color` is that of buttons, `text_color` of the text on it.
 */
export type PayersShop = {
  return_url: string | null
  logo: string | null
  color: string | null
  text_color: string | null
}

/** What stands in the receipt's page. `paid_at` is null where the order keeps no payment: then there is nothing to show a receipt for. */
export type PayersReceipt = {
  transaction_no: string
  merchant: string
  description: string
  amount: string
  channel: string | null
  paid_at: string | null
  /** Yuan that went back to the payer; null where nothing did. */
  refunded: string | null
  shop: PayersShop
  /** When the receipt was made. */
  now: string
}
