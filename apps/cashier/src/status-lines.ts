/** The lines that say an order's state to the payer. */
import type { Order } from './order.ts'
import type { Texts } from './texts.zh.ts'

/** An element: its name, class and text. `isHidden`: screen readers pass over it. */
export type Line = { name: string; className: string; text: string; isHidden: boolean }

const MARKS: Record<Exclude<Order['phase'], 'open'>, string> = {
  paid: '✓',
  refunded: '↩',
  returning: '↩',
  returned: '↩',
  closing: '…',
  closed: '×',
  expired: '×',
}

type Shown = Pick<Order, 'phase' | 'extra'>

/** The lines change when this does. */
export const keyOf = ({ phase, extra }: Shown, isConnected: boolean, says: Texts): string =>
  [phase, extra, isConnected, says.brand].join('|')

export function linesOf({ phase, extra }: Shown, isConnected: boolean, says: Texts): Line[] {
  const lines =
    phase === 'open'
      ? []
      : [
          line('div', 'mark-big', MARKS[phase], true),
          line('h2', 'sign', says[phase]),
          line('p', 'more', says[`${phase}More`]),
        ]
  if (extra !== null) lines.push(line('p', 'note', extra === 'returning' ? says.extraReturning : says.extraReturned))
  if (!isConnected) lines.push(line('p', 'note', says.offline))
  return lines
}

const line = (name: string, className: string, text: string, isHidden = false): Line => ({
  name,
  className,
  text,
  isHidden,
})
