/** A cashier in a frame tells the page around it the order's phase. The server decides which pages may frame it. */
import { isFramed } from './device.ts'
import type { Order } from './order.ts'

export function tellParent({ phase, transaction_no }: Order): void {
  if (!isFramed) return
  // The frame cannot know the origin of the page around it, and the message holds no secret.
  window.parent.postMessage({ acopay: 'phase', phase, transaction_no }, '*')
}
