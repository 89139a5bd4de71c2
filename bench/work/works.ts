/** The work that users give a gateway. Each makes ready first, which is not measured, and returns what is. */
import type { Call, Done } from './lanes.ts'
import { mixedShares, mixOf } from './mix.ts'
import type { WorkName } from './names.ts'
import { told } from './notifications.ts'
import {
  attempted,
  attempts,
  closings,
  paid,
  payings,
  placed,
  placings,
  queries,
  refunds,
  type Scene,
} from './orders.ts'
import { swept } from './sweep.ts'

export type Prepared = () => Promise<Done>

/** Makes ready so many, and answers what then is measured. */
type Work = (scene: Scene, count: number) => Promise<Prepared>

const all =
  ({ lanes }: Scene, calls: Call[]): Prepared =>
  () =>
    lanes.run(calls)

export const WORKS: Record<WorkName, Work> = {
  close: async (scene, count) => all(scene, await closings(await placed(scene, count))),
  place: async (scene, count) => all(scene, await placings(scene.merchants, count)),
  query: async (scene, count) => all(scene, await queries(await placed(scene, count))),
  attended: async (scene, count) => all(scene, await closings(await attempted(scene, count))),
  notification: async ({ stack, merchants }, count) => told(stack, merchants, count),
  mixed: async (scene, count) => all(scene, await mixed(scene, count)),
  sweep: async (scene, count) => swept(scene.stack.database.pool, await placed(scene, count)),
}

/** Every request is of an order of its own, made ready before, so that none waits for another. */
async function mixed(scene: Scene, count: number): Promise<Call[]> {
  const shares = mixedShares(count)
  const fresh = await placed(scene, shares.query + shares.attempt + Math.ceil(shares.close / 2))
  const open = await attempted(scene, shares.pay + Math.floor(shares.close / 2))
  const done = await paid(scene, shares.refund)
  const [toPay, toClose] = [open.slice(0, shares.pay), open.slice(shares.pay)]
  const toQuery = fresh.splice(0, shares.query)
  const toAttempt = fresh.splice(0, shares.attempt)
  return mixOf([
    await placings(scene.merchants, shares.place),
    await queries(toQuery),
    await attempts(toAttempt),
    payings(toPay, scene.stack.outside),
    await closings([...fresh, ...toClose]),
    await refunds(done),
  ])
}
