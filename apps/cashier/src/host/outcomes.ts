/** What the host script answers to the page: the outcome for each phase that the cashier reports, and for its own ends. */

export type Outcome = { success: true } | { code: string; message: string }

const ENDS: Record<string, Outcome> = {
  paid: { success: true },
  closed: { code: 'ORDER_CLOSED', message: '订单已关闭 (the order is closed)' },
  expired: { code: 'ORDER_EXPIRED', message: '订单已过期 (the order has expired)' },
  returning: { code: 'ORDER_CLOSED', message: '订单已关闭，款项正在退回 (closed, the money is on its way back)' },
  returned: { code: 'ORDER_CLOSED', message: '订单已关闭，款项已退回 (closed, the money was sent back)' },
  refunded: { code: 'ORDER_REFUNDED', message: '订单已退款 (refunded)' },
}

/** Undefined while the order is open or being closed. */
export const endOf = (phase: string): Outcome | undefined => (Object.hasOwn(ENDS, phase) ? ENDS[phase] : undefined)

/** The payer closed the window. While the order is being closed, a payment may still have been made. */
export const leftAt = (phase: string): Outcome => ({
  code: phase === 'closing' ? 'PENDING' : 'PAYER_LEFT',
  message: '付款窗口已关闭，订单未改变 (the payer closed the window, the order is unchanged)',
})

export const PENDING: Outcome = {
  code: 'PENDING',
  message: '尚未付款，结果以商户通知为准 (not paid yet, the notification will tell)',
}

export const UNREACHABLE: Outcome = {
  code: 'CASHIER_UNREACHABLE',
  message: '收银台没有响应，没有下单 (the cashier did not answer, no order was placed)',
}

/** The SDK's own message with the outcome. */
export const replyTo = (uid: unknown, outcome: Outcome): object => ({
  cmd: 'payRequest',
  uid,
  ...('success' in outcome ? { payload: outcome } : { error: outcome }),
})

/** The origins that `data-origins` lists. */
export const originsIn = (listed: string | undefined): Set<string> =>
  new Set((listed ?? '').split(/\s/).filter((origin) => origin !== ''))
