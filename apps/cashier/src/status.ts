/** The order's state in words: the countdown, how it ended, or why it cannot be paid now. */
import { countdown } from './format.ts'
import type { Order } from './order.ts'
import { texts } from './texts.ts'

type Around = { remainingMs: number; isConnected: boolean }

const MARKS: Partial<Record<Order['phase'], string>> = {
  paid: '✓',
  refunded: '↩',
  returning: '↩',
  returned: '↩',
  closing: '…',
  closed: '×',
  expired: '×',
}

export function showStatus(root: HTMLElement, order: Order, { remainingMs, isConnected }: Around): void {
  const says = texts()
  const { phase, extra } = order
  // Draw only changes: a screen reader would repeat the text otherwise. The countdown is hidden from screen readers.
  const key = [phase, extra, isConnected, says.brand].join('|')
  if (root.dataset.key !== key) {
    root.dataset.key = key
    root.dataset.phase = phase
    const parts: HTMLElement[] = []
    if (phase !== 'open') {
      parts.push(line('div', 'mark-big', MARKS[phase] ?? '', true), line('h2', 'sign', says[phase]))
      parts.push(line('p', 'more', says[`${phase}More`]))
    } else parts.push(line('p', 'countdown', '', true))
    if (extra !== null) parts.push(line('p', 'note', extra === 'returning' ? says.extraReturning : says.extraReturned))
    if (!isConnected) parts.push(line('p', 'note', says.offline))
    root.replaceChildren(...parts)
  }
  const clock = root.querySelector('.countdown')
  if (clock !== null) clock.textContent = says.remaining(countdown(remainingMs))
}

function line(name: string, className: string, text: string, isHidden = false): HTMLElement {
  const one = document.createElement(name)
  one.className = className
  one.textContent = text
  if (isHidden) one.setAttribute('aria-hidden', 'true')
  return one
}
