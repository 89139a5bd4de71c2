/** The order's state in words: the countdown, how it ended, or why it cannot be paid now. */
import { countdown } from './format.ts'
import type { Order } from './order.ts'
import { keyOf, linesOf } from './status-lines.ts'
import { texts } from './texts.ts'

type Around = { remainingMs: number; isConnected: boolean }

export function showStatus(root: HTMLElement, order: Order, { remainingMs, isConnected }: Around): void {
  const says = texts()
  // Draw only changes: a screen reader would repeat the text otherwise. The countdown is hidden from screen readers.
  const key = keyOf(order, isConnected, says)
  if (root.dataset.key !== key) {
    root.dataset.key = key
    root.dataset.phase = order.phase
    root.replaceChildren(...linesOf(order, isConnected, says).map(element))
  }
  const clock = root.querySelector('.countdown')
  if (clock !== null) clock.textContent = says.remaining(countdown(remainingMs))
}

function element({ name, className, text, isHidden }: ReturnType<typeof linesOf>[number]): HTMLElement {
  const one = document.createElement(name)
  one.className = className
  one.textContent = text
  if (isHidden) one.setAttribute('aria-hidden', 'true')
  return one
}
