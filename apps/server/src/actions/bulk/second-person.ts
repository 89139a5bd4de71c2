/**
 * An operation for more orders than one person may choose alone needs two: one asks, another one confirms. Until then nothing has happened to
 * any of them; what is confirmed is done by the ordinary actions, so that a confirmation that is repeated does no harm.
 */
import type { CloseReason } from '@acopay/core'
import {
  addBulkRequest,
  type BulkRequest,
  type BulkRequestKey,
  findBulkRequest,
  removeBulkRequest,
} from '@acopay/store/console'
import type { World } from '../../world.ts'
import { doForMany, type ManyDone } from './many-orders.ts'

/** Answers the request's number. */
export async function askForMany(
  world: World,
  { operation, orders, askedBy }: Pick<BulkRequest, 'operation' | 'orders' | 'askedBy'>,
): Promise<string> {
  const requestNo = world.newNonce()
  const merchants = new Set(orders.map(({ mchNo }) => mchNo))
  const [mchNo = null] = merchants.size === 1 ? merchants : []
  await addBulkRequest(world.pool, { requestNo, operation, orders, mchNo, askedBy, askedAt: world.now() })
  return requestNo
}

/** 'own': who asked cannot confirm. */
export async function confirmMany(
  world: World,
  key: BulkRequestKey,
  { username, by }: { username: string; by: Exclude<CloseReason, 'EXPIRED'> },
): Promise<{ kind: 'done'; rows: ManyDone } | { kind: 'own' } | { kind: 'absent' }> {
  const request = await findBulkRequest(world.pool, key)
  if (request === null) return { kind: 'absent' }
  if (request.askedBy === username) return { kind: 'own' }
  const { operation, orders } = request
  const rows = await doForMany(world, { operation, orders, by })
  await removeBulkRequest(world.pool, key)
  return { kind: 'done', rows }
}

/** Gives up a request. False when there is none. */
export const dropMany = (world: World, key: BulkRequestKey): Promise<boolean> => removeBulkRequest(world.pool, key)
