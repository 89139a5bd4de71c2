/** Mistakes that 1 500 schedules did not see once: each needs a fault at its very point. */
import { ACTIONS, type Mutant } from './mutant.ts'

export const UNSEEN: Mutant[] = [
  {
    name: 'a call to the upstream is written down after it was made',
    file: `${ACTIONS}/refund/send-refund.ts`,
    find: `  await markRefundCall(world.pool, key, inFlightUntil)
  const mayEarlierBeInFlight = nowMs < lastUntil.getTime() + channel.createInFlightMs
  return (await sendCall(world, refund, { channel, deadline, inFlightUntil, mayEarlierBeInFlight })).outcome`,
    replace: `  const mayEarlierBeInFlight = nowMs < lastUntil.getTime() + channel.createInFlightMs
  const { outcome } = await sendCall(world, refund, { channel, deadline, inFlightUntil, mayEarlierBeInFlight })
  await markRefundCall(world.pool, key, inFlightUntil)
  return outcome`,
  },
  {
    name: 'a job that throws counts as done',
    file: 'apps/server/src/jobs/worker.ts',
    find: "return 'retry_soon' as const",
    replace: "return 'done' as const",
  },
  {
    name: 'a create has surely landed after 2 ms',
    file: 'packages/channels/src/wechat/index.ts',
    find: 'createInFlightMs: 5 * MINUTE',
    replace: 'createInFlightMs: 2',
  },
  {
    name: 'a create at Alipay has surely landed after 2 ms',
    file: 'packages/channels/src/alipay/index.ts',
    find: 'createInFlightMs: MINUTE',
    replace: 'createInFlightMs: 2',
  },
  {
    name: 'a webhook is acknowledged before its payment is booked',
    file: `${ACTIONS}/payment/receive-webhook.ts`,
    find: '  const received = await receiveByAttempt(world, { ...to, attemptNo, payment })',
    replace:
      "  const received = { transactionNo: '' }\n  void receiveByAttempt(world, { ...to, attemptNo, payment }).catch(() => undefined)",
  },
  {
    name: 'a refund that may still happen is taken for refused',
    file: 'packages/channels/src/wechat/refund.ts',
    find: "return { kind: 'processing', why: 'ABNORMAL' }",
    replace: "return { kind: 'refused', why: 'ABNORMAL' }",
  },
]
