/**
 * Compares one day's upstream bill with the books, in both directions. A line of a bill books nothing by itself: not every
 * upstream signs its bill. What the books lack is asked of the upstream, and its signed answer is booked as if a webhook had
 * reported it; every other difference is a row for the operator.
 */
import type { Channel, UpstreamBillLine } from '@acopay/channels'
import { dayBounds, type JobOutcome } from '@acopay/core'
import {
  type BillSums,
  type BookedPayment,
  type BookedRefund,
  contestRefund,
  type DayKey,
  type Difference,
  extendJob,
  type FoundRefund,
  findAnyReversal,
  findAttempt,
  findPayment,
  findRefund,
  isSentByUpstream,
  type Job,
  keepUnmatchedPayment,
  paymentsOfDay,
  refundsBetween,
  writeDifference,
  writeReconciliation,
} from '@acopay/store'
import { ownRefundNo } from '../../security/numbers.ts'
import { callUpstream, channelOrThrow, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { changeOrder } from '../order/change-order.ts'
import { archivedAttempt, bookedArchived } from '../payment/archived-payment.ts'
import { receiveByAttempt, receivePayment } from '../payment/receive-payment.ts'
import { findKnownAttempt } from '../restored/lost-attempts.ts'

/** An upstream bill is a file and may be large. */
const BILL_CALL_MS = 60_000

/** A refund near midnight may be in the bill of the next or previous day, because the upstream's clock differs from ours. */
const REFUND_SLACK_MS = 10 * 60_000

/**
 * While the upstream does not answer about a payment or refund of the bill, the day is tried again this often; after that
 * the line is a difference for the operator.
 */
const TRIES_FOR_AN_ANSWER = 8

/** Extends the job's lease when a third of it has passed. Throws when another process holds the job. */
type Hold = () => Promise<void>

/** `retry` while the upstream bill is not available yet. */
export async function reconcileDay(world: World, job: Job): Promise<JobOutcome> {
  const [channelName = '', day = ''] = job.subject.split('/')
  const key: DayKey = { mchNo: job.mchNo, channel: channelName, day }
  const hold = holding(world, job)
  const channel = await channelOrThrow(world, key)
  await extendJob(world.pool, job, new Date(world.now().getTime() + BILL_CALL_MS + world.limits.leaseMs))
  const bill = await callUpstream(
    world,
    within(world, BILL_CALL_MS),
    (signal) => channel.fetchUpstreamBill(key.day, signal),
    BILL_CALL_MS,
  )
  if (bill.kind === 'unknown' || bill.kind === 'later') return 'retry'
  const lines = bill.kind === 'bill' ? bill.lines : []
  const work: Work = { world, channel, key, lines, hold }
  const found = [...(await paymentDifferences(work)), ...(await refundDifferences(work)), ...lineDifferences(lines)]
  if (found.some(({ isUnanswered }) => isUnanswered) && job.tries < TRIES_FOR_AN_ANSWER) return 'retry'
  const differences = found.map(({ isUnanswered: _, ...difference }) => difference)
  await writeReconciliation(world.pool, key, { ...sumsOf(lines), differences }, world.now())
  for (const difference of differences) {
    world.log.error({ ...key, ...difference, alarm: !difference.isSettled }, 'the bill and the books differ')
  }
  return 'done'
}

function holding(world: World, job: Job): Hold {
  const { leaseMs } = world.limits
  let heldMs = world.now().getTime()
  return async () => {
    const nowMs = world.now().getTime()
    if (nowMs - heldMs < leaseMs / 3) return
    heldMs = nowMs
    if (!(await extendJob(world.pool, job, new Date(nowMs + leaseMs))))
      throw new Error('another process holds this reconciliation')
  }
}

function sumsOf(lines: UpstreamBillLine[]): BillSums {
  const sum = (kind: 'payment' | 'refund') => {
    const some = lines.filter((line): line is Of<'payment' | 'refund'> => line.kind === kind)
    return { lines: some.length, fen: some.reduce((total, { amountFen }) => total + amountFen, 0n) }
  }
  return { paid: sum('payment'), refunded: sum('refund') }
}

type Work = { world: World; channel: Channel; key: DayKey; lines: UpstreamBillLine[]; hold: Hold }

/** `isUnanswered`: it may be settled once the upstream answers. */
type Found = Difference & { isUnanswered?: boolean }

type Of<Kind extends UpstreamBillLine['kind']> = Extract<UpstreamBillLine, { kind: Kind }>

const paymentKey = ({ attemptNo, paymentNo }: { attemptNo: string; paymentNo: string }): string =>
  `${attemptNo} ${paymentNo}`

async function paymentDifferences(work: Work): Promise<Found[]> {
  const { world, key, lines, hold } = work
  const { fromMs, untilMs } = dayBounds(key.day)
  const booked = new Map<string, BookedPayment>()
  for await (const page of paymentsOfDay(world.pool, key, { from: new Date(fromMs), until: new Date(untilMs) })) {
    for (const payment of page) booked.set(paymentKey(payment), payment)
    await hold()
  }
  const differences: Found[] = []
  for (const line of lines) {
    if (line.kind !== 'payment') continue
    await hold()
    const payment = booked.get(paymentKey(line))
    booked.delete(paymentKey(line))
    if (payment === undefined) differences.push(...(await settleUnknown(work, line)))
    else if (payment.amountFen !== line.amountFen) differences.push(difference('PAYMENT_AMOUNT', payment, line))
  }
  for (const payment of booked.values()) differences.push(difference('PAYMENT_MISSING', payment, null))
  return differences
}

/**
 * A payment that is not among this day's. If the books have it on another day, only its amount is compared. If they lack it, the
 * upstream is asked about it by its own number: only its signed answer, with the same number and amount, is booked, or kept as an
 * unmatched payment where the attempt is not known.
 */
async function settleUnknown({ world, channel: asked, key }: Work, line: Of<'payment'>): Promise<Found[]> {
  const { attemptNo, paymentNo, amountFen } = line
  const { mchNo, channel } = key
  const { isKnown, booked } = await bookedAs(world, line, key)
  if (booked !== null) {
    const ours = { attemptNo, paymentNo, amountFen: booked.amountFen ?? amountFen }
    return ours.amountFen === amountFen ? [] : [difference('PAYMENT_AMOUNT', ours, line)]
  }
  const unknown = difference('PAYMENT_UNKNOWN', null, line)
  const says = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    asked.query({ attemptNo, paymentNo }, signal),
  )
  if (says.kind !== 'paid' && says.kind !== 'returned') return [{ ...unknown, isUnanswered: says.kind === 'unknown' }]
  const { payment } = says
  if (payment.paymentNo !== paymentNo || payment.amountFen !== amountFen) return [unknown]
  if (!isKnown) {
    const { currency, paidAt } = payment
    const unmatched = { mchNo, channel, attemptNo, paymentNo, amountFen, currency, paidAt }
    await keepUnmatchedPayment(world.pool, unmatched, world.now())
    return [unknown]
  }
  const settled = { ...unknown, isSettled: true }
  // Written first: if this process dies, the next try finds the payment booked, and no difference any more.
  await writeDifference(world.pool, key, settled, world.now())
  const arrived = { mchNo, channel, attemptNo, payment, isReturned: says.kind === 'returned' }
  // An order that comes out of the archive, or goes into it, in this moment is there when the day is tried again.
  if ((await receiveByAttempt(world, arrived)) === null) throw new Error(`attempt ${attemptNo} was there before`)
  return [settled]
}

type BookedAs = { isKnown: boolean; booked: { amountFen: bigint | null } | null }

/** Whether the books know the attempt of this line, also of an archived order, and its payment. `amountFen`: null where only a file has it. */
async function bookedAs(world: World, line: Of<'payment'>, key: DayKey): Promise<BookedAs> {
  const { attemptNo, paymentNo } = line
  const { mchNo, channel } = key
  const found = await findKnownAttempt(world, { mchNo, channel, attemptNo })
  if (found?.channel === channel)
    return { isKnown: true, booked: await findPayment(world.pool, { mchNo, attemptNo, paymentNo }) }
  const archived = found === null ? await archivedAttempt(world, { mchNo, channel, attemptNo }) : null
  if (archived === null) return { isKnown: false, booked: null }
  return { isKnown: true, booked: await bookedArchived(world, archived, paymentNo) }
}

async function refundDifferences(work: Work): Promise<Found[]> {
  const { world, channel, key, lines, hold } = work
  const { fromMs, untilMs } = dayBounds(key.day)
  const from = new Date(fromMs + REFUND_SLACK_MS)
  const ours = await refundsBetween(world.pool, key, from, new Date(untilMs - REFUND_SLACK_MS))
  const expected = new Map(ours.map((refund) => [refund.refundNo, refund]))
  const differences: Found[] = []
  for (const line of lines) {
    if (line.kind !== 'refund') continue
    await hold()
    const refundNo = ownRefundNo(line.refundNo)
    expected.delete(refundNo)
    const refund = await findRefund(world.pool, key.mchNo, { refundNo })
    const ours = refund ?? (await findAnyReversal(world.pool, key.mchNo, refundNo))
    if (ours === null) differences.push(...(await foreignRefund(world, channel, key, line)))
    else if (refund?.state === 'FAIL') differences.push(await failedAndBilled(work, refund, line))
    else if (ours.amountFen !== line.amountFen) differences.push(difference('REFUND_AMOUNT', ours, line))
  }
  for (const refund of expected.values()) differences.push(difference('REFUND_MISSING', refund, null))
  return differences
}

/**
 * The books call this refund failed, and the merchant was told so; the bill lists it. The upstream's signed answer settles
 * it: the refund is done, the order and the merchant hear so. Until then its amount cannot be refunded again.
 */
async function failedAndBilled(
  { world, channel, key: { mchNo } }: Work,
  refund: FoundRefund,
  line: Of<'refund'>,
): Promise<Found> {
  const { refundNo, transactionNo, attemptNo, paymentNo } = refund
  const found = difference('REFUND_DONE_THOUGH_FAILED', refund, line)
  const says = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.queryRefund({ attemptNo, paymentNo, refundNo }, signal),
  )
  if (says.kind !== 'done' || says.amountFen !== refund.amountFen) {
    await contestRefund(world.pool, { mchNo, refundNo }, world.now())
    return { ...found, isUnanswered: says.kind === 'unknown' }
  }
  const event = { event: 'refund_done', refundNo, isCorrection: true } as const
  await changeOrder(world, { mchNo, ref: { transactionNo } }, event)
  world.log.error({ mchNo, transactionNo, refundNo, alarm: true }, 'a refund that was told failed is done')
  return { ...found, isSettled: true }
}

/** What the bill itself says is wrong with a refund, or with one of its lines. */
const lineDifferences = (lines: UpstreamBillLine[]): Found[] =>
  lines.flatMap((line) => {
    if (line.kind === 'refund_not_done') return [difference('REFUND_NOT_DONE', null, line)]
    if (line.kind !== 'unreadable') return []
    const { attemptNo, paymentNo, row, why } = line
    const where = { attemptNo, paymentNo, refundNo: `row ${row}: ${why}` }
    return [{ ...where, kind: 'LINE_UNREADABLE' as const, oursFen: null, theirsFen: null, isSettled: false }]
  })

/**
 * A refund that this gateway did not request: the upstream made it, or the merchant in the upstream's own pages. If it returned
 * a whole kept payment, the order becomes REFUND. A bill line alone changes no order (I9): the upstream's signed answer must
 * confirm it.
 */
async function foreignRefund(world: World, channel: Channel, key: DayKey, line: Of<'refund'>): Promise<Difference[]> {
  const { mchNo } = key
  const { attemptNo, paymentNo, amountFen } = line
  const booked = await findPayment(world.pool, { mchNo, attemptNo, paymentNo })
  const isKnown = await isSentByUpstream(world.pool, { mchNo, attemptNo, paymentNo, amountFen })
  // A payment that is sent back anyway went back before our reversal was called: the books know this, so no difference.
  if (isKnown && booked?.fate !== 'keep') return []
  // While a refund of it is under way, that one may be what the bill lists (docs/backup.md).
  const isWhole = booked?.fate === 'keep' && booked.amountFen === amountFen && !booked.isInDoubt
  if (!isWhole || !(isKnown || (await isConfirmed(world, channel, line)))) {
    return [difference('REFUND_UNKNOWN', null, line)]
  }
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  if (attempt === null) throw new Error(`payment ${paymentNo} belongs to attempt ${attemptNo}, which does not exist`)
  const payment = { paymentNo, amountFen, currency: 'CNY', paidAt: line.at, payer: null }
  await receivePayment(world, { mchNo, transactionNo: attempt.transactionNo, attemptNo, payment, isReturned: true })
  return [difference('PAYMENT_RETURNED', { attemptNo, paymentNo, amountFen: booked.amountFen }, line)]
}

/** Whether the upstream confirms that this refund was made, or that the whole payment was returned. */
async function isConfirmed(world: World, channel: Channel, line: Of<'refund'>): Promise<boolean> {
  const { attemptNo, paymentNo, refundNo, amountFen } = line
  const limit = () => within(world, world.limits.channelCallMs)
  const refund = await callUpstream(world, limit(), (signal) =>
    channel.queryRefund({ attemptNo, paymentNo, refundNo }, signal),
  )
  if (refund.kind === 'done' && refund.amountFen === amountFen) return true
  const attempt = await callUpstream(world, limit(), (signal) => channel.query({ attemptNo }, signal))
  return attempt.kind === 'returned' && attempt.payment.paymentNo === paymentNo
}

function difference(
  kind: Difference['kind'],
  ours: BookedPayment | BookedRefund | null,
  theirs: Exclude<UpstreamBillLine, { kind: 'unreadable' }> | null,
): Difference {
  const known = (ours ?? theirs) as BookedPayment & { refundNo?: string }
  return {
    kind,
    attemptNo: known.attemptNo,
    paymentNo: known.paymentNo,
    refundNo: kind.startsWith('REFUND') ? (known.refundNo ?? '') : '',
    oursFen: ours?.amountFen ?? null,
    theirsFen: theirs?.amountFen ?? null,
    isSettled: false,
  }
}
