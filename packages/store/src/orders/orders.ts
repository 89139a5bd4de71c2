/** Orders. Only `moveOrder` here, `moveUntouched` and `expireUntouched` beside it write state changes; all extend the timeline. */
import { type CloseReason, type Fen, fen, type JobKind, type OrderRef, type OrderState } from '@acopay/core'
import { whereOf } from '../citus/groups.ts'
import { type Db, retried, run } from '../db.ts'
import { nextHash } from './timeline.ts'

export type Order = {
  mchNo: string
  transactionNo: string
  appNo: string
  mchTradeNo: string
  description: string
  amountFen: Fen
  extra: string | null
  notifyUrl: string | null
  askedExpire: Date | null
  timeExpire: Date
  state: OrderState
  closeReason: CloseReason | null
  attempts: number
  successTime: Date | null
  payer: string | null
  payChannel: string | null
  payMethod: string | null
  headSeq: number
  headHash: Buffer
}

export type OrderRow = Omit<Order, 'amountFen'> & { amountFen: bigint }

const COLUMNS = {
  mch_no: 'mchNo',
  transaction_no: 'transactionNo',
  app_no: 'appNo',
  mch_trade_no: 'mchTradeNo',
  description: 'description',
  amount_fen: 'amountFen',
  extra: 'extra',
  notify_url: 'notifyUrl',
  asked_expire: 'askedExpire',
  time_expire: 'timeExpire',
  state: 'state',
  close_reason: 'closeReason',
  attempts: 'attempts',
  success_time: 'successTime',
  payer: 'payer',
  pay_channel: 'payChannel',
  pay_method: 'payMethod',
  head_seq: 'headSeq',
  head_hash: 'headHash',
} as const satisfies Record<string, keyof Order>

/** Of a row of `orders` that is named `from` in the statement. */
export const columnsOfOrder = (from: string): string =>
  Object.entries(COLUMNS)
    .map(([column, name]) => `${from}.${column} as "${name}"`)
    .join(', ')

const ORDER_COLUMNS = columnsOfOrder('orders')

export const readOrder = (row: OrderRow | undefined): Order | null =>
  row === undefined ? null : { ...row, amountFen: fen(row.amountFen) }

/** The merchant's order, by either number; null when the number belongs to another merchant. */
export async function findOrder(db: Db, mchNo: string, ref: OrderRef): Promise<Order | null> {
  const rows =
    'transactionNo' in ref
      ? await run<OrderRow>(
          db,
          'findOrder',
          `select ${ORDER_COLUMNS} from orders where mch_no = $1 and transaction_no = $2`,
          [mchNo, ref.transactionNo],
        )
      : await run<OrderRow>(
          db,
          'findOrderByTradeNo',
          `select ${ORDER_COLUMNS} from orders where mch_no = $1 and mch_trade_no = $2`,
          [mchNo, ref.mchTradeNo],
        )
  return readOrder(rows[0])
}

/** Like `findOrder`, and locks the row until the transaction ends. */
export async function lockOrder(db: Db, mchNo: string, ref: OrderRef): Promise<Order | null> {
  const rows =
    'transactionNo' in ref
      ? await run<OrderRow>(
          db,
          'lockOrder',
          `select ${ORDER_COLUMNS} from orders where mch_no = $1 and transaction_no = $2 for update`,
          [mchNo, ref.transactionNo],
        )
      : await run<OrderRow>(
          db,
          'lockOrderByTradeNo',
          `select ${ORDER_COLUMNS} from orders where mch_no = $1 and mch_trade_no = $2 for update`,
          [mchNo, ref.mchTradeNo],
        )
  return readOrder(rows[0])
}

export type NewOrder = Pick<
  Order,
  | 'mchNo'
  | 'transactionNo'
  | 'appNo'
  | 'mchTradeNo'
  | 'description'
  | 'amountFen'
  | 'extra'
  | 'notifyUrl'
  | 'askedExpire'
  | 'timeExpire'
>

export type Placing = {
  order: NewOrder
  /** Null where the signature is in the body; then the merchant's order number makes repeats harmless. */
  nonce: string | null
  /** The timeline's first entry, and the hash that it is chained to. */
  entry: string
  genesis: Buffer
  /** The entry's keyed hash. */
  mac: Buffer
  now: Date
}

export type Placed = { app: 'absent' | 'disabled' | 'enabled'; isNonceFresh: boolean; isPlaced: boolean }

/**
 * Records the nonce of each, and inserts its order with the first entry of its timeline: one call for the whole list, whose members may
 * belong to any merchants of one group (migrations/0030-place-orders.sql). When two callers use one number, the second gets
 * `isPlaced: false` and reads the first one's order. The answers are in the order of the list.
 */
export async function insertOrders(db: Db, placings: Placing[]): Promise<Placed[]> {
  const orders = placings.map(({ order }) => order)
  const rows = await retried(() =>
    run<{ isEnabled: boolean | null; isNonceFresh: boolean; isPlaced: boolean }>(
      db,
      'insertOrders',
      `select is_enabled as "isEnabled", is_nonce_fresh as "isNonceFresh", is_placed as "isPlaced"
         from place_orders($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) order by place`,
      [
        whereOf(orders),
        orders.map((order) => order.mchNo),
        orders.map((order) => order.transactionNo),
        orders.map((order) => order.appNo),
        orders.map((order) => order.mchTradeNo),
        orders.map((order) => order.description),
        orders.map((order) => order.amountFen),
        orders.map((order) => order.extra),
        orders.map((order) => order.notifyUrl),
        orders.map((order) => order.askedExpire),
        orders.map((order) => order.timeExpire),
        placings.map(({ nonce }) => nonce),
        placings.map(({ entry }) => entry),
        placings.map(({ genesis, entry }) => nextHash(genesis, entry)),
        placings.map(({ mac }) => mac),
        placings.map(({ now }) => now),
      ],
    ),
  )
  return rows.map(({ isEnabled, ...row }) => ({ app: appStateOf(isEnabled), ...row }))
}

function appStateOf(isEnabled: boolean | null): Placed['app'] {
  if (isEnabled === null) return 'absent'
  return isEnabled ? 'enabled' : 'disabled'
}

/** What a step writes into the order's row, and its timeline entry. */
export type Move = {
  to: OrderState
  closeReason: CloseReason | null
  attempts: number
  /** Payer, time, channel and method of the kept payment; null leaves the row's values. */
  paid: Pick<Order, 'successTime' | 'payer' | 'payChannel' | 'payMethod'> | null
  entry: string
  /** The keyed hash of the entry, whose number is that of the last one plus one. */
  mac: Buffer
  now: Date
  /** Without it no job changes. */
  job?: JobAfter
}

/**
 * What becomes of the order's own job of this kind: its writer holds it under the first lease until `dueAt`, as `insertLeasedJob` writes
 * one; `dueAt` null: it is removed. Null: whatever there is stays.
 */
export type JobAfter = { kind: JobKind; dueAt: Date | null } | null

/**
 * Writes one step of a locked order, its timeline entry, and what becomes of its job. Returns the changed order. Throws when the row is not as it was
 * read, because then the caller did not lock it, which is a bug.
 */
export async function moveOrder(db: Db, order: Order, move: Move): Promise<Order> {
  const headSeq = order.headSeq + 1
  const headHash = nextHash(order.headHash, move.entry)
  const rows = await run(
    db,
    'moveOrder',
    'select moved from move_order($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)',
    [
      order.mchNo,
      order.transactionNo,
      order.state,
      move.to,
      move.closeReason,
      move.attempts,
      headSeq,
      headHash,
      move.now,
      move.entry,
      move.mac,
      move.paid?.successTime,
      move.paid?.payer,
      move.paid?.payChannel,
      move.paid?.payMethod,
      move.job?.kind,
      move.job?.dueAt,
    ],
  )
  if (rows.length !== 1) throw new Error(`order ${order.transactionNo} changed while it was thought to be locked`)
  const { to: state, closeReason, attempts, paid } = move
  return { ...order, ...paid, state, closeReason, attempts, headSeq, headHash }
}
