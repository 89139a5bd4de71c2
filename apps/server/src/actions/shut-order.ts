/**
 * Phases ② and ③ of a close (spec/order-lifecycle.md, Closing): shut every attempt upstream, then settle. Called by
 * whoever holds the order's `shut_attempts` job; every step may be repeated after a crash.
 */

import type { Channel, ChannelName, UpstreamPayment } from '@acopay/channels'
import { provesShut } from '@acopay/core'
import { type Attempt, attemptsOf, findOrder, type Order } from '@acopay/store'
import type { World } from '../world.ts'
import { asked, type Deadline } from './ask-channel.ts'
import { changeOrder } from './change-order.ts'

type Found = { kind: 'shut' } | { kind: 'paid'; payment: UpstreamPayment } | { kind: 'unknown'; why: string }

/** Does what can be done before the deadline; true when nothing is left that could still be paid. */
export async function shutOrder(
  world: World,
  key: { mchNo: string; transactionNo: string },
  deadline: Deadline,
): Promise<boolean> {
  const attempts = await attemptsOf(world.pool, key.mchNo, key.transactionNo)
  const open = attempts.filter(({ state }) => state === 'OPENING' || state === 'OPEN')
  const found = await Promise.all(
    open.map(async (attempt) => ({ attempt, says: await shutAttempt(world, attempt, deadline) })),
  )
  return settle(world, key, found)
}

/** Query; if unpaid, close; query again. Only the last answer proves anything. */
async function shutAttempt(world: World, attempt: Attempt, deadline: Deadline): Promise<Found> {
  const channel: Channel = world.channels[attempt.channel as ChannelName]
  const ref = { account: attempt.mchNo, attemptNo: attempt.attemptNo }
  const query = async (): Promise<Found> => {
    const answer = await asked(world, deadline, (signal) => channel.query(ref, signal))
    if (answer.kind === 'paid') return answer
    if (provesShut(answer.kind, world.now().getTime(), attempt.createLandsUntil.getTime())) return { kind: 'shut' }
    return { kind: 'unknown', why: answer.kind === 'unknown' ? answer.why : `upstream says ${answer.kind}` }
  }
  const before = await query()
  if (before.kind !== 'unknown') return before
  await asked(world, deadline, (signal) => channel.close(ref, signal))
  return query()
}

/** Writes down what upstream said. A paid order's other attempts are shut as well; they may not be by now. */
async function settle(
  world: World,
  { mchNo, transactionNo }: { mchNo: string; transactionNo: string },
  found: { attempt: Attempt; says: Found }[],
): Promise<boolean> {
  const key = { mchNo, ref: { transactionNo } }
  for (const { attempt, says } of found) {
    if (says.kind !== 'paid') continue
    await changeOrder(world, key, {
      event: 'money_arrived',
      attemptNo: attempt.attemptNo,
      payment: says.payment,
    })
  }
  const attemptNos = found.filter(({ says }) => says.kind === 'shut').map(({ attempt }) => attempt.attemptNo)
  const settled = await changeOrder(world, key, { event: 'all_shut', attemptNos })
  if (settled.kind !== 'answered') throw new Error(`order ${transactionNo} vanished while it was being closed`)
  return settled.order.state !== 'CLOSING' && found.every(({ says }) => says.kind !== 'unknown')
}

/** Where an order stands now; a bug when it is gone. */
export async function stateOf(world: World, key: { mchNo: string; transactionNo: string }): Promise<Order> {
  const order = await findOrder(world.pool, key.mchNo, { transactionNo: key.transactionNo })
  if (order === null) throw new Error(`order ${key.transactionNo} vanished`)
  return order
}
