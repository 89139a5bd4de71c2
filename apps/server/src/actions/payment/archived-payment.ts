/**
 * Money for an attempt of an order whose rows lie in a file. The order has ended, so its table sends every further payment back; of this
 * one only that is written. When the order is brought back, the payment becomes one of its own. Decision 53.
 */
import type { UpstreamPayment } from '@acopay/channels'
import { decide, type Step } from '@acopay/core'
import {
  type ArchivedAttempt,
  attemptsOf,
  bookArchivedPayment,
  type Db,
  findArchivedAttempt,
  findArrivedPayment,
  insertLeasedJob,
  lockArrivedPayments,
  lockOrder,
  moveAttempt,
  moveOrder,
  putBackArrived,
  type StampedPayment,
  transaction,
} from '@acopay/store'
import { platformNumber } from '../../security/numbers.ts'
import type { Stamps } from '../../security/stamps.ts'
import type { World } from '../../world.ts'
import { entryText } from '../order/timeline-entry.ts'

export type Arrived = {
  mchNo: string
  channel: string
  attemptNo: string
  payment: UpstreamPayment
  /** The upstream also reports that the whole payment was returned outside. */
  isReturned?: boolean
}

/** Its timeline's entries count from 1. */
const OUTSIDE_SEQ = 0

/** The attempt, if it belongs to an archived order and to this channel. */
export async function archivedAttempt(
  { pool }: Pick<World, 'pool'>,
  { mchNo, channel, attemptNo }: Pick<Arrived, 'mchNo' | 'channel' | 'attemptNo'>,
): Promise<ArchivedAttempt | null> {
  const attempt = await findArchivedAttempt(pool, mchNo, attemptNo)
  return attempt?.channel === channel ? attempt : null
}

/** Whether the payment was booked, before the archiving or after it. `amountFen`: null where only the file has it. */
export async function bookedArchived(
  { pool }: Pick<World, 'pool'>,
  attempt: ArchivedAttempt,
  paymentNo: string,
): Promise<{ amountFen: bigint | null } | null> {
  if (attempt.payments.includes(paymentNo)) return { amountFen: null }
  return findArrivedPayment(pool, { ...attempt, paymentNo })
}

/** Books the payment and sends it back, once. Null where no archived order has this attempt any more: look among the orders again. */
export async function receiveArchivedPayment(
  world: World,
  arrived: Arrived,
): Promise<Pick<ArchivedAttempt, 'transactionNo'> | null> {
  const attempt = await archivedAttempt(world, arrived)
  if (attempt === null) return null
  const { mchNo, transactionNo, attemptNo, archiveNo } = attempt
  const { paymentNo } = arrived.payment
  if (attempt.payments.includes(paymentNo)) return attempt
  const isNew = await book(world, attempt, arrived)
  if (isNew === null) return null
  if (isNew)
    world.log.warn(
      { mchNo, transactionNo, attemptNo, paymentNo, archiveNo },
      'a payment for an archived order goes back',
    )
  return attempt
}

/** False where it is booked already; null where the order was brought back in this moment. */
async function book(
  world: World,
  attempt: ArchivedAttempt,
  { payment, isReturned = false }: Arrived,
): Promise<boolean | null> {
  const { mchNo, transactionNo, attemptNo, archiveNo } = attempt
  const now = world.now()
  const refundNo = platformNumber('AR', now, world.newDigits(19))
  const { amountFen, currency, paidAt, paymentNo } = payment
  const isExact = amountFen === attempt.amountFen && currency === 'CNY'
  const paid = { attemptNo, paymentNo, amountFen: amountFen.toString(), currency, paidAt: paidAt.toISOString() }
  const entry = entryText(
    sentBack(attempt, isExact, now),
    { ...paid, archiveNo, ...(isReturned ? { isReturned } : {}) },
    now,
  )
  const mac = world.stamps.entry({ mchNo, ref: { transactionNo }, seq: OUTSIDE_SEQ, entry })
  try {
    return await transaction(world.pool, async (db) => {
      const booked = { ...payment, mchNo, transactionNo, attemptNo, refundNo, isReturned, entry, mac }
      const isNew = await bookArchivedPayment(db, booked, now)
      if (isNew && !isReturned)
        await insertLeasedJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo }, now, now)
      return isNew
    })
  } catch (error) {
    if ((error as { code?: string }).code === FOREIGN_KEY) return null
    throw error
  }
}

const FOREIGN_KEY = '23503'

type Ended = Pick<ArchivedAttempt, 'state' | 'closeReason'>

/** What the order's table says of it. An order that has ended keeps no further payment; else it would not be archived. */
function sentBack({ state, closeReason }: Ended, isExact: boolean, now: Date): Step {
  const order = { state, closeReason, attempts: 1, expiresAtMs: now.getTime() }
  const step = decide(order, { event: 'money_arrived', isExact }, now.getTime()).steps.at(-1)
  if (step?.money !== 'reverse' || step.to !== state) throw new Error(`an order that ended as ${state} keeps a payment`)
  return step
}

/** Whether this is the entry that a gateway wrote, and the row says the same. */
export function isAsStamped(stamps: Pick<Stamps, 'entry'>, one: StampedPayment): boolean {
  const { mchNo, transactionNo, entry } = one
  if (!stamps.entry({ mchNo, ref: { transactionNo }, seq: OUTSIDE_SEQ, entry }).equals(one.mac)) return false
  const said = JSON.parse(entry) as Record<string, unknown>
  const { attemptNo, paymentNo, currency } = one
  const row = { attemptNo, paymentNo, currency, amountFen: one.amountFen.toString(), paidAt: one.paidAt.toISOString() }
  return Object.entries({ ...row, at: one.createdAt.toISOString() }).every(([name, value]) => said[name] === value)
}

/**
 * The orders' rows are in the tables again: what arrived meanwhile becomes payments of theirs, each with an entry in its timeline. In the
 * transaction that brings them back, and before it forgets that they were archived.
 */
export async function putBackPayments(
  db: Db,
  stamps: Pick<Stamps, 'entry'>,
  { mchNo, numbers, now }: { mchNo: string; numbers: string[]; now: Date },
): Promise<void> {
  for (const one of await lockArrivedPayments(db, mchNo, numbers)) {
    const { transactionNo, attemptNo, paymentNo, amountFen, currency } = one
    if (!isAsStamped(stamps, one))
      throw new Error(
        `${mchNo} ${transactionNo} ${paymentNo} 印记不符 (this payment was not written here by a gateway)`,
      )
    const order = await lockOrder(db, mchNo, { transactionNo })
    const attempt = (await attemptsOf(db, mchNo, transactionNo)).find((own) => own.attemptNo === attemptNo)
    if (order === null || attempt === undefined)
      throw new Error(`${mchNo} ${transactionNo} has no attempt ${attemptNo}`)
    await moveAttempt(db, attempt, { event: 'paid', payUrl: null, now })
    await putBackArrived(db, one)
    const step = sentBack(order as Ended, amountFen === order.amountFen && currency === 'CNY', now)
    const paid = { attemptNo, paymentNo, amountFen: amountFen.toString(), currency, paidAt: one.paidAt.toISOString() }
    const entry = entryText(step, { ...paid, arrivedAt: one.createdAt.toISOString(), refundNo: one.refundNo }, now)
    const mac = stamps.entry({ mchNo, ref: { transactionNo }, seq: order.headSeq + 1, entry })
    await moveOrder(db, order, {
      ...{ to: step.to, closeReason: step.closeReason, attempts: order.attempts },
      paid: null,
      entry,
      mac,
      now,
    })
  }
}
