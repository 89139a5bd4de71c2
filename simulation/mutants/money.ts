/** Mistakes in payments, refunds and reversals. */
import { ACTIONS, CORE, type Mutant, REFUNDS, UPSTREAM } from './mutant.ts'

export const MONEY: Mutant[] = [
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
    name: 'a wrong amount is kept',
    file: `${CORE}/order.ts`,
    find: "if (happening.event === 'money_arrived' && !happening.isExact) {",
    replace: "if (happening.event === 'money_arrived' && !happening.isExact && nowhere()) {",
  },
  {
    name: 'a payment that was sent back before the gateway learned of it is not booked',
    file: `${ACTIONS}/order/close-attempts.ts`,
    find: "if (says.kind !== 'paid' && says.kind !== 'returned') continue",
    replace: "if (says.kind !== 'paid') continue",
  },
  {
    name: 'a close of a paid Alipay trade sends the money back, as cancel did',
    file: UPSTREAM,
    find: "if (trade.state === 'paid') return { kind: 'paid' }",
    replace: `const left = trade.payments.filter(({ refunds }) => refunds.length === 0)
  if (name === 'alipay' && left.length > 0) {
    for (const { paymentNo, amountFen, refunds } of left) {
      refunds.push({ no: \`close-\${paymentNo}\`, fen: amountFen, doneMs: now(), by: 'close' })
    }
    return { kind: 'accepted' }
  }
  if (trade.state === 'paid') return { kind: 'paid' }`,
  },
  {
    name: 'a refund or a reversal names the attempt and not the payment',
    file: REFUNDS,
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
    name: 'a refund is accepted although too little is left',
    file: `${ACTIONS}/order/read-event.ts`,
    find: 'refundRefusal(kept, amountFen, now.getTime())',
    replace: 'refundRefusal({ ...kept, refundedFen: 0n }, amountFen, now.getTime())',
  },
  {
    name: 'the same refund number is a new refund each time',
    file: `${ACTIONS}/order/read-event.ts`,
    find: 'if (refund !== null) return { happening: null, loaded: { ...NOTHING, refund } }',
    replace: '',
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
]
