/** Mistakes in jobs, the watch and notifications. */
import { ACTIONS, type Mutant } from './mutant.ts'

export const WORK: Mutant[] = [
  {
    name: 'forget to watch closed attempts',
    file: 'packages/store/migrations/0052-shut-attempts.sql',
    find: 'if becomes is not null then',
    replace: "if becomes = 'never' then",
  },
  {
    name: 'an open attempt that the watch meets is not closed',
    file: `${ACTIONS}/payment/watch-attempt.ts`,
    find: "if (answer.kind === 'open' && !isOver) {",
    replace: "if (answer.kind === 'open' && nowhere(isOver)) {",
  },
  {
    name: 'forget the job that sends money back',
    file: `${ACTIONS}/order/apply-event.ts`,
    find: "if (!isReturned) await insertLeasedJob(db, { mchNo, kind: 'reverse_payment', subject: refundNo }, now, now)",
    replace: '',
  },
  {
    name: 'enqueue outside the transaction',
    file: `${ACTIONS}/order/apply-event.ts`,
    find: "if (!isReturned) await insertLeasedJob(db, { mchNo, kind: 'reverse_payment'",
    replace: "if (!isReturned) await insertLeasedJob(world.pool, { mchNo, kind: 'reverse_payment'",
  },
  {
    name: 'forget the job that closes the attempts',
    file: `${ACTIONS}/order/change-order.ts`,
    find: "if (step.to === 'CLOSING') return { kind, dueAt: heldUntil }",
    replace: "if (step.to === 'CLOSING') return null",
  },
  {
    name: "a paid order's other codes are left open",
    file: `${ACTIONS}/order/change-order.ts`,
    find: "if (step.to === 'SUCCESS' && attempts > 1) return { kind, dueAt: now }",
    replace: '',
  },
  {
    name: 'forget the job that asks what became of an opening',
    file: `${ACTIONS}/order/apply-event.ts`,
    find: "await insertLeasedJob(db, { mchNo, kind: 'resolve_attempt', subject: attempt.attemptNo }, resolveAt, now)",
    replace: 'void resolveAt',
  },
  {
    name: 'merchants are not told of refunds',
    file: `${ACTIONS}/notification/enqueue-notification.ts`,
    find: "event.event === 'refund_done' || event.event === 'refund_failed'",
    replace: "event.event === 'refund_failed'",
  },
  {
    name: 'merchants are told of money that goes back as if they were paid',
    file: `${ACTIONS}/notification/enqueue-notification.ts`,
    find: "step.money === 'keep' ||",
    replace: 'step.money !== null ||',
  },
  {
    name: 'the watch ends with the expiry',
    file: `${ACTIONS}/payment/watch-attempt.ts`,
    find: 'attempt.upstreamExpire.getTime() + channel.latePaymentWindowMs',
    replace: 'attempt.upstreamExpire.getTime() - channel.latePaymentWindowMs',
  },
  {
    name: 'the watch ends when upstream does not answer',
    file: `${ACTIONS}/payment/watch-attempt.ts`,
    find: "if (!isOver) return 'retry_soon'",
    replace: "if (!isOver) return 'done'",
  },
  {
    name: 'jobs are removed although something is left to do',
    file: 'apps/server/src/jobs/worker.ts',
    find: "if (found === 'done') {",
    replace: "if (found !== 'retry_soon') {",
  },
  {
    name: 'expired orders are not swept',
    file: 'apps/server/src/jobs/worker.ts',
    find: 'due.expiry ? await expireOrders(world) : 0',
    replace: 'nowhere(expireOrders) ? 1 : 0',
  },
  {
    name: 'a notification that failed counts as delivered',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: "when p_next_at[place] is null then 'DEAD' else 'PENDING' end",
    replace: "when p_next_at[place] is null then 'DEAD' else 'DELIVERED' end",
  },
  {
    name: 'notifications of one order overtake each other',
    file: 'packages/store/migrations/0053-found-by-key.sql',
    find: "and e.seq < n.seq and e.state || '' = 'PENDING')",
    replace: "and e.seq < n.seq and e.state || '' = 'NEVER')",
  },
]
