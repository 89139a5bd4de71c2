/** A picture of the states: drawn from the moves of the order's table, with the way that this order took. */
import type { OrderDetail } from '@acopay/protocol/console'
import { usePreferences } from '../../preferences.tsx'
import { BOX, courseOf, PLACES, SIZE, storyOf, wayOf } from './state-layout.ts'

export function StatePicture({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  const course = courseOf(order)
  return (
    <svg
      className="picture"
      viewBox={`0 0 ${SIZE.width} ${SIZE.height}`}
      role="img"
      aria-label={`${t('wayTaken')}: ${storyOf(course, order.state, word)}`}
    >
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
        const taken = course.stepOf(from, to)
        const { path, x, y, anchor } = wayOf(from, to)
        return (
          <g key={`${from}-${to}`}>
            <path d={path} className={taken && 'taken'} markerEnd={`url(#tip-${taken ? 'mark' : 'line'})`} />
            <text x={x} y={y} className={taken ? 'small taken' : 'small'} style={{ textAnchor: anchor }}>
              {taken ? word(taken.event) : word(events[0] ?? '')}
            </text>
          </g>
        )
      })}
      {order.states.map((state) => {
        const { x, y } = PLACES[state]
        const look = course.lookOf(state)
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
