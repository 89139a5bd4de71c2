/** One operation for many orders. Each goes through the ordinary action, which decides again, because time has passed since they were chosen. */
import type { CloseReason } from '@acopay/core'
import type { World } from '../../world.ts'
import { resendNotifications } from '../notification/resend-notifications.ts'
import { closeOrder } from '../order/close-order.ts'

export type ManyAsked = {
  operation: 'close' | 'resend'
  orders: { mchNo: string; transactionNo: string }[]
  by: Exclude<CloseReason, 'EXPIRED'>
}

type Closed = Extract<Awaited<ReturnType<typeof closeOrder>>, { kind: 'answered' }>['outcome']

/** `outcome`: of a close. `resent`: of a resend, how many notifications. */
export type ManyDone = {
  mchNo: string
  transactionNo: string
  outcome: Closed | 'absent' | null
  resent: number | null
}[]

/** Closing asks upstreams, so some run at once; the others of a call wait for them. */
const AT_ONCE = 5

export async function inTurns<One, Result>(all: One[], work: (one: One) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let first = 0; first < all.length; first += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(first, first + AT_ONCE).map(work))))
  }
  return results
}

export const doForMany = (world: World, { operation, orders, by }: ManyAsked): Promise<ManyDone> =>
  inTurns(orders, async ({ mchNo, transactionNo }) => {
    const place = { mchNo, transactionNo }
    if (operation === 'resend') {
      const resent = await resendNotifications(world, mchNo, { transactionNo, seq: null })
      return { ...place, outcome: null, resent }
    }
    const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by, nonce: null })
    return { ...place, outcome: closed.kind === 'answered' ? closed.outcome : ('absent' as const), resent: null }
  })
