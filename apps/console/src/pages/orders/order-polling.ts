/** How soon an order's page is loaded again: often while something is under way. */
import type { OrderDetail } from '@acopay/protocol/console'

const BUSY_MS = 2000
const CALM_MS = 30_000

type Parts = Pick<OrderDetail, 'state'> & {
  [Part in 'refunds' | 'reversals' | 'notifications' | 'attempts']: readonly { state: string }[]
}

const isBusy = (order: Parts): boolean =>
  order.state === 'CLOSING' ||
  [...order.refunds, ...order.reversals].some(({ state }) => state === 'PROCESSING') ||
  order.notifications.some(({ state }) => state === 'PENDING') ||
  order.attempts.some(({ state }) => state === 'OPENING' || state === 'OPEN')

/** `order`: undefined before the first answer. */
export const reloadAfterMs = (order: Parts | undefined): number =>
  order !== undefined && isBusy(order) ? BUSY_MS : CALM_MS
