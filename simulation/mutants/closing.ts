/** Mistakes in closing and in opening attempts. */
import { ACTIONS, CORE, type Mutant } from './mutant.ts'

export const CLOSING: Mutant[] = [
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
    name: 'a close is final before upstream was asked',
    file: `${CORE}/order.ts`,
    find: "  NOTPAY: {\n    pay_started: stays('NOTPAY'),\n    close_asked: { to: 'CLOSING', untouched: 'CLOSED' },",
    replace: "  NOTPAY: {\n    pay_started: stays('NOTPAY'),\n    close_asked: { to: 'CLOSED', untouched: 'CLOSED' },",
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
    find: 'if (isOver(channel, attempt, after.kind, askedAgainMs)) return',
    replace: 'if (isOver(channel, attempt, after.kind, Math.max(askedAgainMs, world.now().getTime()))) return',
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
    name: 'whatever an order has open is written down as closed with what is closed',
    file: 'packages/store/migrations/0052-shut-attempts.sql',
    find: 'case when one.attempt_no = any (p_attempt_no) then',
    replace: 'case when cardinality(p_attempt_no) >= 0 then',
  },
  {
    name: 'an order is closed while its attempts are not',
    file: `${ACTIONS}/order/read-event.ts`,
    find: "states.every((state) => state === 'SHUT' || state === 'PAID')",
    replace: "states.some((state) => state === 'SHUT' || state === 'PAID')",
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
    name: 'an order still being closed is answered as closed',
    file: `${ACTIONS}/order/close-order.ts`,
    find: "    case 'CLOSING':\n    case 'NOTPAY':\n      return 'closing'",
    replace: "    case 'CLOSING':\n      return 'closed'\n    case 'NOTPAY':\n      return 'closing'",
  },
  {
    name: 'the cheap close takes orders that have attempts',
    file: 'packages/store/migrations/0029-move-untouched.sql',
    find: 'was.attempts = 0',
    replace: 'was.attempts >= 0',
  },
]
