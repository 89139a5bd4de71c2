/** Places an order (spec/protocol.md 3.2). The merchant's number makes repeated requests harmless. */
import { expiryOf, type Fen } from '@acopay/core'
import { findOrder, genesisHash, insertOrder, type NewOrder, type Order } from '@acopay/store'
import { platformNumber } from '../../security/numbers.ts'
import type { World } from '../../world.ts'

export type PlaceAsk = {
  mchNo: string
  appNo: string
  mchTradeNo: string
  description: string
  amountFen: Fen
  askedExpire: Date | null
  extra: string | null
  notifyUrl: string | null
  /** Null where the signature is in the body. */
  nonce: string | null
}

export type PlaceAnswer =
  | { kind: 'placed'; order: Pick<Order, 'appNo' | 'mchTradeNo' | 'transactionNo'> }
  | { kind: 'app_absent' }
  | { kind: 'app_disabled' }
  | { kind: 'nonce_used' }
  /** The expiry is not between a minute and seven days ahead. */
  | { kind: 'expiry_out_of_range' }
  /** The merchant's number was used before, with another value of this field. */
  | { kind: 'differs'; field: string }

export async function placeOrder(world: World, ask: PlaceAsk): Promise<PlaceAnswer> {
  const now = world.now()
  const expiresAtMs = expiryOf(ask.askedExpire?.getTime() ?? null, now.getTime())
  if (expiresAtMs === null) return repeat(world, ask, { kind: 'expiry_out_of_range' })

  const transactionNo = platformNumber('AP', now, world.newDigits(19))
  const { nonce, ...fields } = ask
  const order: NewOrder = { ...fields, transactionNo, timeExpire: new Date(expiresAtMs) }
  const entry = JSON.stringify({ at: now.toISOString(), event: 'placed', to: 'NOTPAY', mchTradeNo: ask.mchTradeNo })
  const placed = await insertOrder(world.pool, {
    order,
    nonce,
    entry,
    genesis: genesisHash(ask.mchNo, transactionNo),
    now,
  })
  if (!placed.isNonceFresh) return { kind: 'nonce_used' }
  if (placed.app !== 'enabled') return { kind: placed.app === 'absent' ? 'app_absent' : 'app_disabled' }
  if (placed.isPlaced) return { kind: 'placed', order }
  return repeat(world, ask, null)
}

/** Compares the request with the order that has its number: the same order, or the first field that differs. */
async function repeat(world: World, ask: PlaceAsk, otherwise: PlaceAnswer | null): Promise<PlaceAnswer> {
  const order = await findOrder(world.pool, ask.mchNo, { mchTradeNo: ask.mchTradeNo })
  if (order === null) {
    if (otherwise !== null) return otherwise
    throw new Error(`order ${ask.mchTradeNo} was neither placed nor found`)
  }
  const field = differingField(order, ask)
  return field === null ? { kind: 'placed', order } : { kind: 'differs', field }
}

function differingField(order: Order, ask: PlaceAsk): string | null {
  const same: Record<string, boolean> = {
    app_no: order.appNo === ask.appNo,
    description: order.description === ask.description,
    amount_total: order.amountFen === ask.amountFen,
    time_expire: order.askedExpire?.getTime() === ask.askedExpire?.getTime(),
    extra: order.extra === ask.extra,
    notify_url: order.notifyUrl === ask.notifyUrl,
  }
  return Object.keys(same).find((field) => !same[field]) ?? null
}
