/** Rows for tests of the store: a merchant with an app, orders, attempts. Time comes from the test. */
import { type Fen, fen } from '@acopay/core'
import {
  type Attempt,
  addApp,
  addMerchant,
  bookPayment,
  type Db,
  entryStamp,
  findOrder,
  genesisHash,
  insertAttempt,
  insertOrders,
  moveOrder,
  type NewOrder,
  type Order,
  type Payment,
} from '@acopay/store'

export const NOW = new Date('2026-01-31T00:00:00.000Z')
export const after = (ms: number): Date => new Date(NOW.getTime() + ms)

export const MCH = 'MCH1'
export const APP = 'APP1'

export async function seedMerchant(db: Db, mchNo = MCH): Promise<void> {
  await addMerchant(db, { mchNo, name: mchNo }, NOW)
  await addApp(db, { mchNo, appNo: APP, name: APP }, NOW)
}

let count = 0
const nextNumber = (prefix: string): string => {
  count += 1
  return prefix + String(count).padStart(36, '0')
}

export const newOrder = (more: Partial<NewOrder> = {}): NewOrder => {
  const transactionNo = nextNumber('AP')
  return {
    mchNo: MCH,
    transactionNo,
    appNo: APP,
    mchTradeNo: `m${transactionNo}`,
    description: '测试订单',
    amountFen: fen(1250n),
    extra: null,
    notifyUrl: null,
    askedExpire: null,
    timeExpire: after(3_600_000),
    ...more,
  }
}

/** A timeline entry as the gateway writes them: JSON that begins with its moment. */
export const entryAt = (now: Date, event: string): string => JSON.stringify({ at: now.toISOString(), event })

const PLACED = ({ mchTradeNo }: NewOrder): string =>
  JSON.stringify({ at: NOW.toISOString(), event: 'placed', mchTradeNo })

/** Stamps entries as the gateway does. */
export const STAMP = entryStamp(Buffer.alloc(32, 7))

export const placing = (order: NewOrder, nonce: string | null = null) => ({
  order,
  nonce,
  entry: PLACED(order),
  genesis: genesisHash(order.mchNo, order.transactionNo),
  mac: STAMP({ ...order, ref: order, seq: 1, entry: PLACED(order) }),
  now: NOW,
})

export async function seedOrder(db: Db, more: Partial<NewOrder> = {}): Promise<Order> {
  const order = newOrder(more)
  await insertOrders(db, [placing(order)])
  return orderNow(db, order)
}

export async function orderNow(
  db: Db,
  { mchNo, transactionNo }: Pick<Order, 'mchNo' | 'transactionNo'>,
): Promise<Order> {
  const order = await findOrder(db, mchNo, { transactionNo })
  if (order === null) throw new Error(`no order ${transactionNo}`)
  return order
}

/** Opens an attempt the way the gateway does: the attempt's row and the order's step. */
export async function seedAttempt(db: Db, order: Order): Promise<{ order: Order; attempt: Attempt }> {
  const attempt: Attempt = {
    mchNo: order.mchNo,
    attemptNo: nextNumber('AT'),
    transactionNo: order.transactionNo,
    channel: 'sandbox',
    method: 'native',
    openId: null,
    amountFen: order.amountFen as Fen,
    state: 'OPENING',
    payUrl: null,
    upstreamExpire: order.timeExpire,
    createInFlightUntil: NOW,
    createdAt: NOW,
  }
  await insertAttempt(db, attempt)
  const entry = entryAt(NOW, 'pay_started')
  const moved = await moveOrder(db, order, {
    to: order.state,
    closeReason: order.closeReason,
    attempts: order.attempts + 1,
    paid: null,
    entry,
    mac: STAMP({ ...order, ref: order, seq: order.headSeq + 1, entry }),
    now: NOW,
  })
  return { order: moved, attempt }
}

/** A payment of the order's amount, which the order keeps, for a new attempt of it. */
export async function seedPayment(db: Db, paymentNo: string): Promise<Payment> {
  const { attempt } = await seedAttempt(db, await seedOrder(db))
  const { mchNo, attemptNo, transactionNo, amountFen } = attempt
  const payment = { mchNo, attemptNo, transactionNo, paymentNo, amountFen, currency: 'CNY', paidAt: NOW, payer: null }
  await bookPayment(db, payment, 'keep', NOW)
  return payment
}

/** A refund of one fen. `at`: when it was asked for, and done where it is. */
export async function seedRefund(
  db: Db,
  of: Pick<Payment, 'mchNo' | 'attemptNo' | 'paymentNo' | 'transactionNo'>,
  { refundNo, state = 'SUCCESS', at = NOW }: { refundNo: string; state?: 'PROCESSING' | 'SUCCESS' | 'FAIL'; at?: Date },
): Promise<void> {
  await db.query(
    `insert into refund (mch_no, attempt_no, payment_no, transaction_no, refund_no, mch_refund_no, amount_fen, reason, state,
       failure, success_time, lands_until, created_at, changed_at)
     values ($1, $2, $3, $4, $5, $5, 1, 'r', $6, $7, $8, $9, $9, $9)`,
    [
      ...[of.mchNo, of.attemptNo, of.paymentNo, of.transactionNo, refundNo, state],
      ...[state === 'FAIL' ? 'NO' : null, state === 'SUCCESS' ? at : null, at],
    ],
  )
}

export const refundNumber = (at: number): string => `AR${String(at).padStart(36, '0')}`
