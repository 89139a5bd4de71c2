/**
 * What a gateway does before it serves a database that was set back to an earlier moment (docs/backup.md). What happened since then
 * is lost, also the answers: an order that the books call open may have been closed, and its merchant told so. So every order that
 * was open is closed. Closing asks the upstreams, so a payment that the books have lost is found, and kept.
 */
import {
  answeredCloses,
  attemptsOf,
  findOrder,
  finishRestoration,
  holdRestoration,
  keepRestoration,
  lapsedOrders,
  type OrderKey,
  type OrderKeys,
  type Restoration,
  undoneRestorations,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import { type CloseOutcome, closeOrder } from '../order/close-order.ts'
import { addLostAttempts } from './lost-attempts.ts'

const AT_ONCE = 16
/** An order takes at most a close's budget and some queries. */
const HELD_MS = 120_000
const LOOK_AGAIN_MS = 1000
/** No order lives longer. */
const LATER_MS = 30 * 24 * 3_600_000

export type RestoredReport = Record<CloseOutcome, number> & {
  /** Orders that were open, and those of them whose close had been answered, as the log says. */
  orders: number
  closedBefore: number
  /** Attempts that the books had lost. */
  attempts: number
  /** Money that the books had lost and that orders keep, in fen. */
  paidFen: string
}

/** Returns when this database may be served. Several gateways may start at once: one does it. */
export async function settleRestored(world: World, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted()
    const [restoration] = await undoneRestorations(world.pool)
    if (restoration === undefined) return
    const now = world.now()
    if (await holdRestoration(world.pool, restoration.beganAt, now, new Date(now.getTime() + HELD_MS))) {
      await settleOne(world, restoration, signal)
    } else await world.sleep(LOOK_AGAIN_MS, signal)
  }
}

async function settleOne(world: World, { beganAt, restoredTo }: Restoration, signal: AbortSignal): Promise<void> {
  world.log.warn({ restoredTo, beganAt }, 'the database was restored: orders that were open are closed first')
  const report: RestoredReport = {
    ...{ orders: 0, closedBefore: 0, attempts: 0, paidFen: '0' },
    ...{ closed: 0, expired: 0, paid: 0, closing: 0 },
  }
  const inTurn = async (keys: OrderKeys, settle: (key: OrderKey) => Promise<void>): Promise<void> => {
    for (let at = 0; at < keys.length; at += AT_ONCE) {
      signal.throwIfAborted()
      await keepRestoration(world.pool, beganAt, new Date(world.now().getTime() + HELD_MS))
      await Promise.all(keys.slice(at, at + AT_ONCE).map(settle))
    }
  }
  for (let after: OrderKey | null = null; ; ) {
    const keys: OrderKeys = await answeredCloses(world.pool, after, 100)
    await inTurn(keys, (key) => shutAnswered(world, key, report))
    after = keys.at(-1) ?? null
    if (after === null) break
  }
  for (let last = ''; ; ) {
    const keys = await lapsedOrders(world.pool, new Date(world.now().getTime() + LATER_MS), 100)
    if (keys.length === 0) break
    const [first] = keys
    if (first?.transactionNo === last) throw new Error(`order ${last} stays open`)
    last = first?.transactionNo ?? ''
    await inTurn(keys, (key) => closeInDoubt(world, key, report))
    world.log.info({ orders: report.orders }, 'restored orders under way')
  }
  await finishRestoration(world.pool, beganAt, JSON.stringify(report), world.now())
  world.log.warn({ restoredTo, beganAt, ...report }, 'the restored database is settled')
}

/** Its merchant was told that it is closed: it is, and money for it goes back. */
async function shutAnswered(world: World, { mchNo, transactionNo }: OrderKey, report: RestoredReport): Promise<void> {
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  if (order === null || !['NOTPAY', 'CLOSING'].includes(order.state)) return
  report.orders += 1
  report.closedBefore += 1
  if (order.state === 'NOTPAY') report.attempts += await addLostAttempts(world, order)
  const key = { mchNo, ref: { transactionNo } }
  await changeOrder(world, key, { event: 'close_asked', by: 'OPERATOR' })
  const attemptNos = (await attemptsOf(world.pool, mchNo, transactionNo)).map(({ attemptNo }) => attemptNo)
  if (attemptNos.length > 0) await changeOrder(world, key, { event: 'all_shut', attemptNos, said: [] })
}

async function closeInDoubt(world: World, { mchNo, transactionNo }: OrderKey, report: RestoredReport): Promise<void> {
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  if (order === null) return
  report.orders += 1
  report.attempts += await addLostAttempts(world, order)
  const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by: 'OPERATOR', nonce: null })
  if (closed.kind !== 'answered') return
  report[closed.outcome] += 1
  if (closed.outcome !== 'paid') return
  report.paidFen = String(BigInt(report.paidFen) + order.amountFen)
  world.log.warn({ mchNo, transactionNo }, 'a payment that the books had lost')
}
