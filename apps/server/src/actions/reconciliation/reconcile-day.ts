/**
 * Compares one day's upstream bill with the books, in both directions. A payment that the books lack is booked as if a webhook
 * had reported it; every other difference is a row for the operator.
 */
import type { Channel, UpstreamBillLine } from '@acopay/channels'
import { dayBounds, type JobOutcome } from '@acopay/core'
import {
  type BillSums,
  type BookedPayment,
  type BookedRefund,
  type DayKey,
  type Difference,
  extendJob,
  findAttempt,
  findPayment,
  findRefund,
  findReversal,
  isSentByUpstream,
  type Job,
  keepUnmatchedPayment,
  paymentsOfDay,
  refundsBetween,
  writeReconciliation,
} from '@acopay/store'
import { ownRefundNo } from '../../security/numbers.ts'
import { callUpstream, channelOrThrow, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { receivePayment } from '../payment/receive-payment.ts'

/** An upstream bill is a file and may be large. */
const BILL_CALL_MS = 60_000

/** A refund near midnight may be in the bill of the next or previous day, because the upstream's clock differs from ours. */
const REFUND_SLACK_MS = 10 * 60_000

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
  const differences = [
    ...(await paymentDifferences(world, key, lines, hold)),
    ...(await refundDifferences(world, channel, { key, lines, hold })),
  ]
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
  const sum = (kind: UpstreamBillLine['kind']) => {
    const some = lines.filter((line) => line.kind === kind)
    return { lines: some.length, fen: some.reduce((total, { amountFen }) => total + amountFen, 0n) }
  }
  return { paid: sum('payment'), refunded: sum('refund') }
}

type Of<Kind extends UpstreamBillLine['kind']> = Extract<UpstreamBillLine, { kind: Kind }>

const paymentKey = ({ attemptNo, paymentNo }: { attemptNo: string; paymentNo: string }): string =>
  `${attemptNo} ${paymentNo}`

async function paymentDifferences(
  world: World,
  key: DayKey,
  lines: UpstreamBillLine[],
  hold: Hold,
): Promise<Difference[]> {
  const { fromMs, untilMs } = dayBounds(key.day)
  const booked = new Map<string, BookedPayment>()
  for await (const page of paymentsOfDay(world.pool, key, { from: new Date(fromMs), until: new Date(untilMs) })) {
    for (const payment of page) booked.set(paymentKey(payment), payment)
    await hold()
  }
  const differences: Difference[] = []
  for (const line of lines) {
    if (line.kind !== 'payment') continue
    await hold()
    const payment = booked.get(paymentKey(line))
    booked.delete(paymentKey(line))
    if (payment === undefined) differences.push(...(await settleUnknown(world, key, line)))
    else if (payment.amountFen !== line.amountFen) differences.push(difference('PAYMENT_AMOUNT', payment, line))
  }
  for (const payment of booked.values()) differences.push(difference('PAYMENT_MISSING', payment, null))
  return differences
}

/** Books a payment that the books lack, if its attempt is known; otherwise it is an unmatched payment. */
async function settleUnknown(world: World, key: DayKey, line: Of<'payment'>): Promise<Difference[]> {
  const { attemptNo, paymentNo, amountFen, at: paidAt } = line
  const { mchNo, channel } = key
  // It is booked with another time of payment, so it was not among this day's payments: no difference.
  if ((await findPayment(world.pool, { mchNo, attemptNo, paymentNo })) !== null) return []
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  const isKnown = attempt !== null && attempt.channel === channel
  const payment = { paymentNo, amountFen, currency: 'CNY', paidAt, payer: null }
  if (isKnown) await receivePayment(world, { mchNo, transactionNo: attempt.transactionNo, attemptNo, payment })
  else await keepUnmatchedPayment(world.pool, { mchNo, channel, attemptNo, ...payment }, world.now())
  return [{ ...difference('PAYMENT_UNKNOWN', null, line), isSettled: isKnown }]
}

async function refundDifferences(
  world: World,
  channel: Channel,
  { key, lines, hold }: { key: DayKey; lines: UpstreamBillLine[]; hold: Hold },
): Promise<Difference[]> {
  const { fromMs, untilMs } = dayBounds(key.day)
  const from = new Date(fromMs + REFUND_SLACK_MS)
  const ours = await refundsBetween(world.pool, key, from, new Date(untilMs - REFUND_SLACK_MS))
  const expected = new Map(ours.map((refund) => [refund.refundNo, refund]))
  const differences: Difference[] = []
  for (const line of lines) {
    if (line.kind !== 'refund') continue
    await hold()
    const refundNo = ownRefundNo(line.refundNo)
    expected.delete(refundNo)
    const ours =
      (await findReversal(world.pool, key.mchNo, refundNo)) ?? (await findRefund(world.pool, key.mchNo, { refundNo }))
    if (ours === null) differences.push(...(await foreignRefund(world, channel, key, line)))
    else if (ours.amountFen !== line.amountFen) differences.push(difference('REFUND_AMOUNT', ours, line))
  }
  for (const refund of expected.values()) differences.push(difference('REFUND_MISSING', refund, null))
  return differences
}

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
  if (isKnown && booked?.fate === 'reverse') return []
  const isWhole = booked?.fate === 'keep' && booked.amountFen === amountFen
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
  theirs: UpstreamBillLine | null,
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
