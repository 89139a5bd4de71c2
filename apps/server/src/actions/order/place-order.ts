/** Places an order (spec/protocol.md 3.2). The merchant's number makes repeated requests harmless. */
import { expiryOf, type Fen } from '@acopay/core'
import {
  findArchivedOrder,
  findOrder,
  type GroupOf,
  genesisHash,
  insertOrders,
  type NewOrder,
  type Order,
  type Placed,
  type Placing,
  type Pool,
  useNonce,
} from '@acopay/store'
import { coalesced, STATEMENTS_AT_ONCE } from '../../outbound/coalesce.ts'
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
  /** The merchant's number is that of an order of this month, whose rows were archived: whether the request repeats it is not known. */
  | { kind: 'archived'; month: string }
  /** The merchant's number was used before, with another value of this field. */
  | { kind: 'differs'; field: string }

export async function placeOrder(world: World, ask: PlaceAsk): Promise<PlaceAnswer> {
  const now = world.now()
  const expiresAtMs = expiryOf(ask.askedExpire?.getTime() ?? null, now.getTime())
  if (expiresAtMs === null) return placedBefore(world, ask, now)

  const transactionNo = platformNumber('AP', now, world.newDigits(19))
  const { nonce, ...fields } = ask
  const order: NewOrder = { ...fields, transactionNo, timeExpire: new Date(expiresAtMs) }
  const entry = JSON.stringify({ at: now.toISOString(), event: 'placed', to: 'NOTPAY', mchTradeNo: ask.mchTradeNo })
  const placed = await world.insertOrder({
    order,
    nonce,
    entry,
    genesis: genesisHash(ask.mchNo, transactionNo),
    mac: world.stamps.entry({ mchNo: ask.mchNo, ref: { transactionNo }, seq: 1, entry }),
    now,
  })
  if (!placed.isNonceFresh) return { kind: 'nonce_used' }
  if (placed.app !== 'enabled') return { kind: placed.app === 'absent' ? 'app_absent' : 'app_disabled' }
  if (placed.isPlaced) return { kind: 'placed', order }
  const first = await orderOf(world, ask)
  if (first !== null) return comparedWith(first, ask)
  const archived = await archivedOf(world, ask)
  if (archived === null) throw new Error(`order ${ask.mchTradeNo} was neither placed nor found`)
  return archived
}

const ORDERS_PER_STATEMENT = 128

type Together = { pool: Pool; groupOf: GroupOf; onBatch: (name: string, size: number) => void }

/** Callers of one process, and of one group of merchants, who place orders at the same time share one statement. */
export function insertOrdersTogether({ pool, groupOf, onBatch }: Together): World['insertOrder'] {
  const insert = coalesced<Placing, Placed>({
    name: 'place',
    onBatch,
    run: (_group, placings) => insertOrders(pool, placings),
    inFlightMax: STATEMENTS_AT_ONCE,
    sizeMax: ORDERS_PER_STATEMENT,
  })
  return (placing) => insert(groupOf(placing.order.mchNo), placing)
}

/**
 * The request's expiry has passed or is out of range. It can only repeat an order that was placed in time; a repeat uses up its
 * nonce like the first request did.
 */
async function placedBefore(world: World, ask: PlaceAsk, now: Date): Promise<PlaceAnswer> {
  const { mchNo, nonce } = ask
  const first = await orderOf(world, ask)
  if (first === null) return (await archivedOf(world, ask)) ?? { kind: 'expiry_out_of_range' }
  if (nonce !== null && !(await useNonce(world.pool, { mchNo, nonce, now }))) return { kind: 'nonce_used' }
  return comparedWith(first, ask)
}

const orderOf = ({ pool }: World, { mchNo, mchTradeNo }: PlaceAsk): Promise<Order | null> =>
  findOrder(pool, mchNo, { mchTradeNo })

async function archivedOf({ pool }: World, { mchNo, mchTradeNo }: PlaceAsk): Promise<PlaceAnswer | null> {
  const archived = await findArchivedOrder(pool, mchNo, { mchTradeNo })
  return archived === null ? null : { kind: 'archived', month: archived.archiveNo.slice(0, 7) }
}

/** Compares the request with the order that has its number: the same order, or the first field that differs. */
function comparedWith(order: Order, ask: PlaceAsk): PlaceAnswer {
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
