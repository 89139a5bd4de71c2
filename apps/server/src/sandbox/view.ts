/** Sandbox mode only: what the upstreams know of a test order, and which notifications the test shop received. */
import { formatYuan } from '@acopay/core'
import type { SandboxView } from '@acopay/protocol/console'
import { attemptsOf, listNotifications, listNotificationTries } from '@acopay/store'
import { type ConsoleCall, Failed, orderOf } from '../http/console/call.ts'
import type { World } from '../world.ts'
import type { SandboxUpstreams } from './upstreams.ts'

/** At most this many notifications, and tries of each. */
const LISTED_MAX = 20

export async function sandboxView(
  world: World,
  upstreams: SandboxUpstreams,
  call: ConsoleCall,
): Promise<SandboxView | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const { mchNo, transactionNo } = order
  const attempts = await attemptsOf(world.pool, mchNo, transactionNo)
  const upstream = await Promise.all(
    attempts.map(async ({ attemptNo, channel }) => {
      const trade = await upstreams.of(channel).control.trade(attemptNo)
      const returned = trade?.refunds.reduce((sum, { fen }) => sum + fen, 0) ?? 0
      return {
        attempt_no: attemptNo,
        channel,
        state: trade?.state ?? 'absent',
        taken: formatYuan(BigInt(trade?.payment?.fen ?? 0)),
        returned: formatYuan(BigInt(returned)),
      }
    }),
  )
  const notifications = await listNotifications(
    world.pool,
    mchNo,
    { transactionNo, state: null, before: null },
    LISTED_MAX,
  )
  const received = await Promise.all(
    notifications.map(async ({ seq, kind }) => {
      const tries = await listNotificationTries(world.pool, { mchNo, transactionNo, seq }, LISTED_MAX)
      return tries.map(({ at, httpStatus, reply, failure }) => ({
        at: at.toISOString(),
        kind,
        code: failure === null ? 'SUCCESS' : 'FAIL',
        answered: [httpStatus, failure ?? reply].filter((part) => part !== null).join(' '),
      }))
    }),
  )
  return {
    state: order.state,
    cashier_url: world.cashierUrl(mchNo, transactionNo),
    upstream,
    heard: received.flat().sort((one, other) => (one.at < other.at ? 1 : -1)),
  }
}
