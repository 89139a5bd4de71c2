/** A picture of the states: drawn from the moves of the order's table, with the way that this order took. */
import type { OrderDetail, OrderStateName } from '@acopay/protocol/console'
import { usePreferences } from '../../preferences.tsx'

const WIDTH = 720
const HEIGHT = 250
const BOX = { width: 116, height: 44 }

/** The position of each state: ended states are on the right, paid states below. */
const PLACES: Record<OrderStateName, { x: number; y: number }> = {
  NOTPAY: { x: 75, y: 125 },
  CLOSING: { x: 335, y: 60 },
  CLOSED: { x: 625, y: 60 },
  SUCCESS: { x: 335, y: 200 },
  REFUND: { x: 625, y: 200 },
}

/** The line from the edge of one box to the edge of the other, and the position of its text. */
function wayOf(from: OrderStateName, to: OrderStateName): { path: string; x: number; y: number } {
  const [a, b] = [PLACES[from], PLACES[to]]
  // A curve around the box between the two.
  if (from === 'NOTPAY' && to === 'CLOSED') {
    return {
      path: `M ${a.x} ${a.y - BOX.height / 2} C ${a.x} 5, 420 0, ${b.x - 30} ${b.y - BOX.height / 2}`,
      x: 220,
      y: 20,
    }
  }
  if (a.x === b.x) {
    const [y1, y2] = [a.y + BOX.height / 2, b.y - BOX.height / 2 - 6]
    return { path: `M ${a.x} ${y1} L ${b.x} ${y2}`, x: a.x + 62, y: (y1 + y2) / 2 + 4 }
  }
  const [x1, x2] = [a.x + BOX.width / 2, b.x - BOX.width / 2 - 6]
  return { path: `M ${x1} ${a.y} L ${x2} ${b.y}`, x: (x1 + x2) / 2, y: (a.y + b.y) / 2 - 8 }
}

export function StatePicture({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  const steps = order.timeline.filter(({ from, to }) => from !== null && from !== to)
  const been = new Set<string>(order.timeline.map(({ to }) => to))
  const story = [...steps.map(({ from, event }) => `${word(from ?? '')} (${word(event)}) → `), word(order.state)].join(
    '',
  )
  const lookOf = (state: string): 'here' | 'been' | '' => {
    if (state === order.state) return 'here'
    return been.has(state) ? 'been' : ''
  }
  return (
    <svg className="picture" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${t('wayTaken')}: ${story}`}>
      <defs>
        {(['line', 'mark'] as const).map((colour) => (
          <marker
            key={colour}
            id={`tip-${colour}`}
            viewBox="0 0 8 8"
            refX="5"
            refY="4"
            markerWidth="5"
            markerHeight="5"
            orient="auto"
          >
            <path d="M 0 0 L 8 4 L 0 8 z" style={{ fill: `var(--${colour})`, stroke: 'none' }} />
          </marker>
        ))}
      </defs>
      {order.moves.map(({ from, to, events }) => {
        const taken = steps.find((step) => step.from === from && step.to === to)
        const { path, x, y } = wayOf(from, to)
        return (
          <g key={`${from}-${to}`}>
            <path d={path} className={taken && 'taken'} markerEnd={`url(#tip-${taken ? 'mark' : 'line'})`} />
            <text x={x} y={y} className={taken ? 'small taken' : 'small'}>
              {taken ? word(taken.event) : word(events[0] ?? '')}
            </text>
          </g>
        )
      })}
      {order.states.map((state) => {
        const { x, y } = PLACES[state]
        const look = lookOf(state)
        return (
          <g key={state}>
            <rect className={`box ${look}`} x={x - BOX.width / 2} y={y - BOX.height / 2} {...BOX} rx={8} />
            <text x={x} y={y + 5} className={look === 'here' ? 'here' : ''}>
              {word(state)}
            </text>
          </g>
        )
      })}
    </svg>
  )
}
