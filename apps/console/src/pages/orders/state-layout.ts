/** The picture of an order's states: the places of the boxes, the lines between them, and the way that the order took. */
import type { OrderDetail, OrderStateName } from '@acopay/protocol/console'

export const SIZE = { width: 720, height: 250 }
export const BOX = { width: 116, height: 44 }

/** The position of each state: ended states are on the right, paid states below. */
export const PLACES: Record<OrderStateName, { x: number; y: number }> = {
  NOTPAY: { x: 75, y: 125 },
  CLOSING: { x: 335, y: 60 },
  CLOSED: { x: 625, y: 60 },
  SUCCESS: { x: 335, y: 200 },
  REFUND: { x: 625, y: 200 },
}

type Way = { path: string; x: number; y: number; anchor?: 'start' }

/** The line from the edge of one box to the edge of the other, and the position of its text. */
export function wayOf(from: OrderStateName, to: OrderStateName): Way {
  const [a, b] = [PLACES[from], PLACES[to]]
  // A curve around the box between the two.
  if (from === 'NOTPAY' && to === 'CLOSED') {
    return {
      path: `M ${a.x} ${a.y - BOX.height / 2} C ${a.x} 5, 420 0, ${b.x - 30} ${b.y - BOX.height / 2}`,
      x: 235,
      y: 46,
    }
  }
  if (a.x === b.x) {
    const [y1, y2] = [a.y + BOX.height / 2, b.y - BOX.height / 2 - 6]
    return { path: `M ${a.x} ${y1} L ${b.x} ${y2}`, x: a.x + 62, y: (y1 + y2) / 2 + 4 }
  }
  const [x1, x2] = [a.x + BOX.width / 2, b.x - BOX.width / 2 - 6]
  const path = `M ${x1} ${a.y} L ${x2} ${b.y}`
  const [x, y] = [(x1 + x2) / 2, (a.y + b.y) / 2]
  if (a.y === b.y) return { path, x, y: y - 8 }
  // Right of the middle, where the line has gone on up or down.
  return { path, x: x + 10, y: b.y < a.y ? y + 20 : y - 10, anchor: 'start' }
}

type Taken = { from: string | null; to: string; event: string }
type Step = Taken & { from: string }
export type Course = {
  /** The changes of state, in their order. */
  steps: Step[]
  /** The step that took this way; undefined where the order did not. */
  stepOf: (from: string, to: string) => Step | undefined
  lookOf: (state: string) => 'here' | 'been' | ''
}

/** The way that an order took, from its timeline. */
export function courseOf({ state: now, timeline }: { state: string; timeline: readonly Taken[] }): Course {
  const steps = timeline.filter((one): one is Step => one.from !== null && one.from !== one.to)
  const been = new Set(timeline.map(({ to }) => to))
  return {
    steps,
    stepOf: (from, to) => steps.find((step) => step.from === from && step.to === to),
    lookOf: (state) => {
      if (state === now) return 'here'
      return been.has(state) ? 'been' : ''
    },
  }
}

/** The way in words, for screen readers. */
export const storyOf = ({ steps }: Course, state: OrderDetail['state'], word: (code: string) => string): string =>
  [...steps.map(({ from, event }) => `${word(from)} (${word(event)}) → `), word(state)].join('')
