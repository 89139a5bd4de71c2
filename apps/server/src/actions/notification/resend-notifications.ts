/** Makes notifications due again: all of one order, one of them, or dead letters. */
import type { OrderRef } from '@acopay/core'
import { findOrder, resendNotifications as resendRows, useNonce } from '@acopay/store'
import type { World } from '../../world.ts'

/** One call makes at most this many dead letters due again. */
export const RESENT_AT_ONCE = 10_000

type Choice = Parameters<typeof resendRows>[2]

/** Returns how many notifications will be sent again. */
export const resendNotifications = (world: World, mchNo: string, choice: Choice): Promise<number> =>
  resendRows(world.pool, mchNo, choice, { limit: RESENT_AT_ONCE, now: world.now() })

export type ResendAsked = { ref: OrderRef; seq: number | null } | { dead: { from: Date | null; until: Date | null } }

export type Resent =
  | { kind: 'nonce_used' }
  | { kind: 'absent' }
  | { kind: 'resent'; count: number; transactionNo?: string }

/** For the merchant's own call. Changes nothing when the nonce was used before. */
export async function resendByMerchant(
  world: World,
  { mchNo, nonce, asked }: { mchNo: string; nonce: string; asked: ResendAsked },
): Promise<Resent> {
  if (!(await useNonce(world.pool, { mchNo, nonce, now: world.now() }))) return { kind: 'nonce_used' }
  if ('dead' in asked) return { kind: 'resent', count: await resendNotifications(world, mchNo, asked) }
  const order = await findOrder(world.pool, mchNo, asked.ref)
  if (order === null) return { kind: 'absent' }
  const { transactionNo } = order
  const count = await resendNotifications(world, mchNo, { transactionNo, seq: asked.seq })
  return { kind: 'resent', count, transactionNo }
}
