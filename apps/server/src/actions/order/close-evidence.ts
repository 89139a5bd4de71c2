/** Reads the close evidence of an order from its timeline, after checking the timeline's chain and stamps. */
import type { OrderRef } from '@acopay/core'
import { findOrder, type Order, readTimeline } from '@acopay/store'
import type { World } from '../../world.ts'
import { brokenEntry } from './check-timeline.ts'
import type { UpstreamSaid } from './events.ts'

export type CloseEvidence = {
  order: Order
  /** From this moment on no payment could be started. */
  fencedAt: Date
  /** From this moment on no attempt could be paid any more. */
  closedAt: Date
  /** The upstreams' answers while the attempts were closed; empty when no attempt was ever opened. */
  said: UpstreamSaid[]
}

type Entry = { at: string; to: string; said?: UpstreamSaid[] }

/** Null when there is no such order; `open` when it is not closed. Throws when the timeline was tampered with. */
export async function closeEvidence(
  world: World,
  ask: { mchNo: string; ref: OrderRef },
): Promise<CloseEvidence | 'open' | null> {
  const order = await findOrder(world.pool, ask.mchNo, ask.ref)
  if (order === null) return null
  if (order.state !== 'CLOSED') return 'open'
  const { mchNo, transactionNo } = order
  const timeline = await readTimeline(world.pool, mchNo, transactionNo)
  const broken = await brokenEntry(world, order, timeline)
  if (broken !== null) throw new Error(`the timeline of ${transactionNo} is broken at entry ${broken}`)

  const entries = timeline.map(({ entry }) => JSON.parse(entry) as Entry)
  const fence = entries.find(({ to }) => to === 'CLOSING' || to === 'CLOSED')
  const closed = entries.find(({ to }) => to === 'CLOSED')
  if (fence === undefined || closed === undefined) throw new Error(`the timeline of ${transactionNo} has no close`)
  return { order, fencedAt: new Date(fence.at), closedAt: new Date(closed.at), said: closed.said ?? [] }
}
