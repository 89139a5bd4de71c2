/** What a payer can do once the order has ended: go back to the shop, and keep a receipt. */
import type { PayersShop } from '@acopay/protocol'
import { anchor } from './anchor.ts'
import { isFramed } from './device.ts'
import type { Order, Phase } from './order.ts'
import { hostOf, returnAddress } from './return-address.ts'
import { texts } from './texts.ts'

const HAS_RECEIPT: readonly Phase[] = ['paid', 'refunded']
const IS_UNDER_WAY: readonly Phase[] = ['open', 'closing']

export function showAfter(root: HTMLElement, order: Order, { shop, link }: { shop: PayersShop; link: string }): void {
  const says = texts()
  const key = `${order.phase} ${says.brand}`
  if (root.dataset.key === key) return
  root.dataset.key = key
  const parts: HTMLElement[] = []
  // In a frame of the shop's own page the shop closes the frame.
  if (shop.return_url !== null && !isFramed && !IS_UNDER_WAY.includes(order.phase)) {
    const address = returnAddress(shop.return_url, order)
    const back = anchor(address, says.backToShop, 'jump')
    const host = document.createElement('span')
    host.className = 'host'
    host.textContent = hostOf(address)
    back.append(' ', host)
    parts.push(back)
  }
  if (HAS_RECEIPT.includes(order.phase)) {
    const receipt = anchor(`${link}/receipt`, says.receipt, 'plain link')
    if (isFramed) receipt.target = '_blank'
    parts.push(receipt)
  }
  root.replaceChildren(...parts)
}
