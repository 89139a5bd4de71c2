/** The order's state in words: how it ended, or why it cannot be paid now; and the countdown while it can. */
import { countdown } from './format.ts'
import type { Order } from './order.ts'
import { keyOf, linesOf } from './status-lines.ts'
import { texts } from './texts.ts'
import { urgencyOf } from './urgency.ts'

export function showStatus(root: HTMLElement, order: Order, isConnected: boolean): void {
  const says = texts()
  // Draw only changes: a screen reader would repeat the text otherwise.
  const key = keyOf(order, isConnected, says)
  if (root.dataset.key === key) return
  root.dataset.key = key
  root.dataset.phase = order.phase
  root.replaceChildren(...linesOf(order, isConnected, says).map(element))
}

/** `clock` is a timer: screen readers read it when they are asked to, and not each second. */
export function showClock(clock: HTMLElement, { phase }: Order, remainingMs: number): void {
  const says = texts()
  const urgency = urgencyOf(remainingMs)
  clock.hidden = phase !== 'open'
  clock.dataset.urgency = urgency
  clock.textContent = (urgency === 'calm' ? says.remaining : says.hurry)(countdown(remainingMs))
}

function element({ name, className, text, isHidden }: ReturnType<typeof linesOf>[number]): HTMLElement {
  const one = document.createElement(name)
  one.className = className
  one.textContent = text
  if (isHidden) one.setAttribute('aria-hidden', 'true')
  // The focus comes here when what had it is gone.
  if (name === 'h2') one.tabIndex = -1
  return one
}
