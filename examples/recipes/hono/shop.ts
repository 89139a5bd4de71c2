/** A shop that sells one thing. It knows no web framework. */
import type { DatabaseSync } from 'node:sqlite'
import { AcoPay, ApiError, type NotificationHandler, newTradeNo, notificationHandler } from '@acopay/sdk'
import { type Database, openDatabase } from './database.ts'
import { readSettings, type Settings } from './settings.ts'

export type Order = { number: string; amount: string; state: 'open' | 'closed' | 'paid' | 'returned'; parcels: number }

/** `closing`: not confirmed yet, and the shop goes on asking. `paid`: the payer was faster. */
export type CloseOutcome = 'closed' | 'paid' | 'closing'

export type Shop = {
  settings: Settings
  /** Answers the gateway; takes the raw body of its request, before any JSON parser. */
  hear: NotificationHandler
  placeOrder(): Promise<{ number: string; cashierUrl: string }>
  findOrder(number: string): Promise<Order | null>
  /** Null: there is no such order. Whoever knows the number may close the order: it cannot be guessed. */
  closeOrder(number: string): Promise<CloseOutcome | null>
}

/** For so long an order can be paid: the gateway allows one minute to seven days. */
const KEPT_MS = 15 * 60_000
const SWEEP_MS = 5_000
const SWEPT_MAX = 100

type Parts = { settings: Settings; pay: AcoPay; database: Database }

export function openShop(settings: Settings = readSettings(process.env)): Shop {
  const pay = new AcoPay(settings.gateway)
  const parts = { settings, pay, database: openDatabase(settings.databaseFile) }
  sweepAgain(parts)
  return {
    settings,
    hear: notifications(parts),
    placeOrder: () => placeOrder(parts),
    findOrder: (number) => findOrder(parts, number),
    closeOrder: (number) => closeOrder(parts, number),
  }
}

function notifications({ settings, database }: Parts): NotificationHandler {
  return notificationHandler({
    mchNo: settings.gateway.mchNo,
    platformPublicKey: settings.gateway.platformPublicKey,
    store: database.events,
    onPayment({ mchTradeNo, amountTotal }, db) {
      setState(db, { number: mchTradeNo, amount: amountTotal, state: 'paid' })
      db.prepare('insert into parcels (order_number) values (?)').run(mchTradeNo) // the shop's own work: deliver
    },
    onPaymentReturned({ mchTradeNo, amountTotal }, db) {
      setState(db, { number: mchTradeNo, amount: amountTotal, state: 'returned' })
    },
    onRefund({ mchRefundNo, mchTradeNo, refundAmount, state }, db) {
      const insert = 'insert or replace into refunds (number, order_number, amount, state) values (?, ?, ?, ?)'
      db.prepare(insert).run(mchRefundNo, mchTradeNo, refundAmount, state)
    },
  })
}

/** Throws for an order that the shop does not know, or knows with another amount: the gateway then sends the event again. */
function setState(db: DatabaseSync, { number, amount, state }: Omit<Order, 'parcels'>): void {
  const update = db.prepare('update orders set state = ? where number = ? and amount = ?')
  if (update.run(state, number, amount).changes !== 1) throw new Error(`no order ${number} of ${amount}`)
}

async function placeOrder({ settings, pay, database }: Parts): Promise<{ number: string; cashierUrl: string }> {
  const { thing, url } = settings
  const number = newTradeNo()
  const closesAt = new Date(Date.now() + KEPT_MS)
  // Stored first: should the answer be lost, the order is known and closed later.
  const insert = 'insert into orders (number, amount, closes_at) values (?, ?, ?)'
  await database.change((db) => db.prepare(insert).run(number, thing.amount, closesAt.toISOString()))
  const { cashierUrl } = await pay.placeOrder({
    mchTradeNo: number,
    description: thing.description,
    amountTotal: thing.amount,
    timeExpire: closesAt,
    notifyUrl: new URL('/acopay/notify', url).href,
  })
  return { number, cashierUrl }
}

async function findOrder({ database }: Parts, number: string): Promise<Order | null> {
  const select = `select number, amount, state, (select count(*) from parcels where order_number = number) as parcels
    from orders where number = ?`
  return database.change((db) => (db.prepare(select).get(number) as Order | undefined) ?? null)
}

async function closeOrder(parts: Parts, number: string): Promise<CloseOutcome | null> {
  const { pay, database } = parts
  const order = await findOrder(parts, number)
  if (order === null) return null
  if (order.state !== 'open') return order.state === 'closed' ? 'closed' : 'paid'
  // Stored first: if this process dies now, or the gateway does not answer, the sweep closes the order.
  const due = 'update orders set closes_at = min(closes_at, ?) where number = ?'
  await database.change((db) => db.prepare(due).run(new Date().toISOString(), number))
  const outcome = await askToClose(pay, number)
  if (outcome !== 'closed') return outcome // a payment is believed, and delivered, when the notification comes
  const close = "update orders set state = 'closed' where number = ? and state = 'open'"
  await database.change((db) => db.prepare(close).run(number))
  return 'closed'
}

async function askToClose(pay: AcoPay, number: string): Promise<CloseOutcome> {
  try {
    const { outcome } = await pay.closeOrder({ mchTradeNo: number })
    return outcome === 'expired' ? 'closed' : outcome // both are final: the order is never paid
  } catch (error) {
    // Only an order whose placing failed is unknown to the gateway, and no payer was sent to it.
    if (error instanceof ApiError && error.code === 'ORDER_NOT_EXIST') return 'closed'
    throw error
  }
}

/** Closes orders whose time is over, and those that could not be closed when it was asked. */
async function sweep(parts: Parts): Promise<void> {
  const select = "select number from orders where state = 'open' and closes_at <= ? order by closes_at limit ?"
  const now = new Date().toISOString()
  const due = await parts.database.change((db) => db.prepare(select).all(now, SWEPT_MAX))
  for (const { number } of due) await closeOrder(parts, String(number)).catch(tell)
}

/** The next sweep begins when the last one has ended. */
function sweepAgain(parts: Parts): void {
  const again = (): void => sweepAgain(parts)
  setTimeout(() => void sweep(parts).catch(tell).finally(again), SWEEP_MS)
}

const tell = (error: Error): void =>
  console.error(`没有关成，稍后再试 could not close, trying again later: ${error.message}`)
