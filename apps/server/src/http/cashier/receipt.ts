/** What a payer keeps of a payment: a page to print. The order's link is the only permission for it too. */
import { fen, formatYuan } from '@acopay/core'
import type { PayersReceipt } from '@acopay/protocol'
import { type CashierView, type OrderKey, readCashierApp, readCashierViews, readReceipt } from '@acopay/store/read'
import type { World } from '../../world.ts'
import { shopOf } from './shop.ts'

/** Null where there is no such order. */
export async function receiptOf(world: World, key: OrderKey): Promise<PayersReceipt | null> {
  const [[order], receipt, app] = await Promise.all([
    readCashierViews(world.pool, [key]),
    readReceipt(world.pool, key),
    readCashierApp(world.pool, key),
  ])
  if (order === undefined) return null
  const kept = isPaid(order) ? receipt : null
  return {
    transaction_no: order.transactionNo,
    merchant: order.merchant,
    description: order.description,
    amount: formatYuan(fen(order.amountFen)),
    channel: kept?.channel ?? null,
    paid_at: kept?.paidAt.toISOString() ?? null,
    refunded: kept === null || kept.refundedFen === 0n ? null : formatYuan(fen(kept.refundedFen)),
    shop: shopOf(key.mchNo, app),
    now: world.now().toISOString(),
  }
}

const isPaid = ({ state }: CashierView): boolean => state === 'SUCCESS' || state === 'REFUND'
