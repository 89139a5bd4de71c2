/** A cashier in a frame tells the shell around it where the order stands; who may frame it, the server has decided. */
import { isFramed } from './device.ts'
import type { Order } from './order.ts'

export function tellParent({ phase, transaction_no }: Order): void {
  if (!isFramed) return
  // Which shell it is the frame cannot know; what is told is not secret.
  window.parent.postMessage({ acopay: 'phase', phase, transaction_no }, '*')
}
