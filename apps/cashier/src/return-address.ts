/** The way back to the shop: the address that is stored for the order's app, with what became of the order. */
import type { Order } from './order.ts'

/** Added to the text as it is: reading it and writing it anew would change the shop's own query. */
export function returnAddress(
  stored: string,
  { transaction_no, phase }: Pick<Order, 'transaction_no' | 'phase'>,
): string {
  const hash = stored.indexOf('#')
  const [page, fragment] = hash < 0 ? [stored, ''] : [stored.slice(0, hash), stored.slice(hash)]
  const joint = jointOf(page)
  return `${page}${joint}transaction_no=${encodeURIComponent(transaction_no)}&state=${phase}${fragment}`
}

function jointOf(page: string): string {
  if (!page.includes('?')) return '?'
  return /[?&]$/.test(page) ? '' : '&'
}

/** A payer sees where the way back leads. */
export const hostOf = (address: string): string => new URL(address).host
