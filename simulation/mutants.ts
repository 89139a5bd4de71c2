/**
 * Realistic bugs. `npm run mutants:simulator` puts them in one by one, and the simulation must find each within a bounded number of
 * seeds. A mutant that survives shows a missing check. The text `find` occurs exactly once in the file.
 */

export type Mutant = { name: string; file: string; find: string; replace: string }

const CORE = 'packages/core/src'
const STORE = 'packages/store/src'
const ACTIONS = 'apps/server/src/actions'
/** The simulated upstreams. These mutants change what a channel asks of an upstream. */
const UPSTREAM = 'simulation/gateway/upstream.ts'

export const MUTANTS: Mutant[] = [
  {
    name: 'drop the fence: a payment starts on an order that is being closed',
    file: `${CORE}/order.ts`,
    find: "pay_started: no('ORDER_CLOSING')",
    replace: "pay_started: stays('CLOSING')",
  },
  {
    name: 'a payment starts on a closed order',
    file: `${CORE}/order.ts`,
    find: "pay_started: no('ORDER_CLOSED')",
    replace: "pay_started: stays('CLOSED')",
  },
  {
    name: 'a closed order keeps late money',
    file: `${CORE}/order.ts`,
    find: "money_arrived: { to: 'CLOSED', money: 'reverse' }",
    replace: "money_arrived: { to: 'SUCCESS', money: 'keep' }",
  },
  {
    name: 'a paid order keeps a second payment',
    file: `${CORE}/order.ts`,
    find: "money_arrived: { to: 'SUCCESS', money: 'reverse' }",
    replace: "money_arrived: { to: 'SUCCESS', money: 'keep' }",
  },
  {
    name: 'a close is final before upstream was asked',
    file: `${CORE}/order.ts`,
    find: "  NOTPAY: {\n    pay_started: stays('NOTPAY'),\n    close_asked: { to: 'CLOSING', untouched: 'CLOSED' },",
    replace: "  NOTPAY: {\n    pay_started: stays('NOTPAY'),\n    close_asked: { to: 'CLOSED', untouched: 'CLOSED' },",
  },
  {
    name: 'a wrong amount is kept',
    file: `${CORE}/order.ts`,
    find: "if (happening.event === 'money_arrived' && !happening.isExact) {",
    replace: "if (happening.event === 'money_arrived' && !happening.isExact && nowhere()) {",
  },
  {
    name: 'absent counts as closed although a create may still land',
    file: `${CORE}/attempt.ts`,
    find: "(says === 'absent' && nowMs >= createLandsUntilMs)",
    replace: "says === 'absent'",
  },
  {
    name: 'a time-out counts as closed',
    file: `${CORE}/attempt.ts`,
    find: "says === 'closed' ||",
    replace: "says === 'closed' || says === 'unknown' ||",
  },
  {
    name: 'trust a 204',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: '  const after = await query()\n',
    replace: "  if (closed.kind === 'accepted') return { kind: 'shut' }\n  const after = await query()\n",
  },
  {
    name: 'what an upstream said counts as of the moment at which it is read',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: 'if (provesClosed(after.kind, askedAgainMs, landsUntilMs)) return',
    replace: 'if (provesClosed(after.kind, Math.max(askedAgainMs, world.now().getTime()), landsUntilMs)) return',
  },
  {
    name: 'an attempt is opened after the moment that was written down for it',
    file: `${ACTIONS}/payment/start-payment.ts`,
    find: 'callUpstream(world, deadline, (signal) =>',
    replace: 'callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>',
  },
  {
    name: 'an attempt that is being opened is not closed',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: "state === 'OPENING' || state === 'OPEN'",
    replace: "state === 'OPEN'",
  },
  {
    name: 'an attempt with an unknown answer counts as closed',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: "filter(({ says }) => says.kind === 'shut')",
    replace: "filter(({ says }) => says.kind !== 'paid')",
  },
  {
    name: 'a payment that was sent back before the gateway learned of it is not booked',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: "if (says.kind !== 'paid' && says.kind !== 'returned') continue",
    replace: "if (says.kind !== 'paid') continue",
  },
  {
    name: 'forget to watch closed attempts',
    file: `${ACTIONS}/order/read-event.ts`,
    find: "await insertLeasedJob(db, { mchNo, kind: 'watch_attempt', subject: attemptNo }, lookAt, now)",
    replace: 'void lookAt',
  },
  {
    name: 'a close of a paid Alipay trade sends the money back, as cancel did',
    file: UPSTREAM,
    find: "if (trade.state === 'paid') return { kind: 'paid' }",
    replace: `if (name === 'alipay' && trade.payments.some((payment) => sendRestBack(payment, 'close', now()))) {
          return { kind: 'accepted' }
        }
        if (trade.state === 'paid') return { kind: 'paid' }`,
  },
  {
    name: 'a refund or a reversal names the attempt and not the payment',
    file: UPSTREAM,
    find: 'const payment = paymentNamed(trade, paymentNo)',
    replace: 'const payment = paymentNo === undefined ? undefined : trade?.payments[0]',
  },
  {
    name: 'money that arrives while the order is being closed is kept and sent back',
    file: `${ACTIONS}/order/apply-event.ts`,
    find: "  if (fate === 'reverse') return writeReversal(change, event)\n",
    replace: `  if (fate === 'reverse') return writeReversal(change, event)
  if (order.state === 'CLOSING') await writeReversal(change, event)
`,
  },
  {
    name: 'a refund is asked for under a new number for each try',
    file: `${ACTIONS}/refund/send-refund.ts`,
    find: 'channel.refund({ attemptNo, paymentNo, refundNo,',
    replace: 'channel.refund({ attemptNo, paymentNo, refundNo: world.newNonce(),',
  },
  {
    name: "a reversal takes another payment's return for its own",
    file: `${ACTIONS}/refund/reverse-payment.ts`,
    find: ' && found.payment.paymentNo === paymentNo',
    replace: '',
  },
  {
    name: 'the watch sends back every payment that it finds',
    file: `${ACTIONS}/payment/watch-attempt.ts`,
    find: "  if (answer.kind === 'paid' || answer.kind === 'returned') {\n",
    replace: `  if (answer.kind === 'paid') {
    const { paymentNo, amountFen } = answer.payment
    const ask = { attemptNo, paymentNo, refundNo: attemptNo, amountFen, totalFen: amountFen, reason: '', notifyUrl: '' }
    await callUpstream(world, within(world, world.limits.channelCallMs), (signal) => channel.refund(ask, signal))
  }
  if (answer.kind === 'paid' || answer.kind === 'returned') {
`,
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
    find: "if (step.to === 'CLOSING') await insertLeasedJob(db, job, heldUntil, now)",
    replace: "if (step.to === 'CLOSING') void heldUntil",
  },
  {
    name: "a paid order's other codes are left open",
    file: `${ACTIONS}/order/change-order.ts`,
    find: "else if (step.to === 'SUCCESS' && order.attempts > 1) await insertLeasedJob(db, job, now, now)",
    replace: '',
  },
  {
    name: 'forget the job that asks what became of an opening',
    file: `${ACTIONS}/order/apply-event.ts`,
    find: "await insertLeasedJob(db, { mchNo, kind: 'resolve_attempt', subject: attempt.attemptNo }, resolveAt, now)",
    replace: 'void resolveAt',
  },
  {
    name: 'a refund is accepted although too little is left',
    file: `${ACTIONS}/order/read-event.ts`,
    find: 'refundRefusal(kept, amountFen, now.getTime())',
    replace: 'refundRefusal({ ...kept, refundedFen: 0n }, amountFen, now.getTime())',
  },
  {
    name: 'the same refund number is a new refund each time',
    file: `${ACTIONS}/order/read-event.ts`,
    find: 'if (refund !== null) return { happening: null, loaded: { refund, kept: null } }',
    replace: '',
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
    name: 'a refusal is believed although an earlier call may still be carried out',
    file: `${ACTIONS}/refund/send-refund.ts`,
    find: "(found.kind === 'failed' && !call.mayEarlierBeInFlight)",
    replace: "found.kind === 'failed' || nowhere(call.mayEarlierBeInFlight)",
  },
  {
    name: 'a refund without an answer has failed',
    file: `${ACTIONS}/refund/send-refund.ts`,
    find: '  const isUnderWay =',
    replace: "  if (stands.kind === 'unknown') return { kind: 'failed', why: 'no answer' }\n  const isUnderWay =",
  },
  {
    name: 'a refund under way is done',
    file: `${ACTIONS}/refund/send-refund.ts`,
    find: "if (stands.kind === 'done' && stands.amountFen === amountFen)",
    replace: "if (stands.kind === 'processing' || (stands.kind === 'done' && stands.amountFen === amountFen))",
  },
  {
    name: 'a reversal under way is done',
    file: `${ACTIONS}/refund/reverse-payment.ts`,
    find: "const isDone = stands.kind === 'done' &&",
    replace: "const isDone = stands.kind === 'processing' || stands.kind === 'done' &&",
  },
  {
    name: 'reverse twice: a new number for each try',
    file: `${ACTIONS}/refund/reverse-payment.ts`,
    find: 'const ask = { attemptNo, paymentNo, refundNo: upstreamNo,',
    replace: 'const ask = { attemptNo, paymentNo, refundNo: world.newNonce(),',
  },
  {
    name: 'a reversal that the upstream refuses counts as done',
    file: `${ACTIONS}/refund/reverse-payment.ts`,
    find: "(answer.kind === 'refused' && (await isReturned()))",
    replace: "(answer.kind === 'refused' && isReturned !== null)",
  },
  {
    name: 'a reversal that ended without sending anything is asked for under its used-up number',
    file: `${ACTIONS}/refund/reverse-payment.ts`,
    find: "if (stands.kind === 'failed') await",
    replace: 'if (nowhere(stands)) await',
  },
  {
    name: 'an opening without an answer counts as refused',
    file: `${ACTIONS}/payment/start-payment.ts`,
    find: "  if (answer.kind === 'unknown') return attempt\n",
    replace: '',
  },
  {
    name: 'an opening that the upstream does not know is closed at once',
    file: `${ACTIONS}/payment/resolve-attempt.ts`,
    find: "if (!provesClosed(answer.kind, askedMs, attempt.createInFlightUntil.getTime())) return 'retry'",
    replace: "if (answer.kind === 'unknown') return 'retry'",
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
    find: "if (answer.kind === 'unknown') return 'retry_soon'",
    replace: "if (answer.kind === 'unknown') return 'done'",
  },
  {
    name: 'an order still being closed is answered as closed',
    file: `${ACTIONS}/order/close-order.ts`,
    find: "    case 'CLOSING':\n    case 'NOTPAY':\n      return 'closing'",
    replace: "    case 'CLOSING':\n      return 'closed'\n    case 'NOTPAY':\n      return 'closing'",
  },
  {
    name: 'the cheap close takes orders that have attempts',
    file: `${STORE}/orders/untouched-orders.ts`,
    find: 'o.attempts = 0',
    replace: 'o.attempts >= 0',
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
    find: 'for (const key of lapsed) await expireOrder(world, key)',
    replace: 'for (const key of lapsed.slice(0, 0)) await expireOrder(world, key)',
  },
  {
    name: 'a notification that failed counts as delivered',
    file: `${STORE}/notifications/notifications.ts`,
    find: "case when t.failure is null then 'DELIVERED' when t.next_at is null then 'DEAD' else 'PENDING' end",
    replace: "case when t.failure is null then 'DELIVERED' when t.next_at is null then 'DEAD' else 'DELIVERED' end",
  },
  {
    name: 'notifications of one order overtake each other',
    file: `${STORE}/notifications/notifications.ts`,
    find: "and e.seq < n.seq and e.state = 'PENDING')",
    replace: "and e.seq < n.seq and e.state = 'NEVER')",
  },
]
