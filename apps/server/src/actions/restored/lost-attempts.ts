/**
 * Attempts that the books have lost because the database was set back (docs/backup.md). Their numbers follow from the order's, so
 * that the upstream can be asked for them, and a payment of one leads to its order.
 */
import { type ChannelName, INSTALLED } from '@acopay/channels'
import type { Fen } from '@acopay/core'
import {
  type Attempt,
  findAttempt,
  insertAttempt,
  lockOrder,
  moveOrder,
  type Order,
  type OrderKey,
  ordersByNumber,
  transaction,
} from '@acopay/store'
import { attemptNumber } from '../../security/numbers.ts'
import { callUpstream, within } from '../../upstream/call-upstream.ts'
import type { World } from '../../world.ts'
import { entryText } from '../order/timeline-entry.ts'

/** An order had at most so many attempts, when a payment's number is compared with those of its orders. */
const NTH_MAX = 50
/** How many numbers after the last attempt that an upstream knows are asked for: Alipay knows only codes that were scanned. */
const LOOK_BEYOND = 2

type Asked = { mchNo: string; channel: string; attemptNo: string }

/** The attempt of this number, whatever its channel, also where the books have lost it. Null where no order in the tables has it. */
export const findKnownAttempt = async (world: World, asked: Asked): Promise<Attempt | null> =>
  (await findAttempt(world.pool, asked.mchNo, asked.attemptNo)) ?? (await findLostAttempt(world, asked))

/** The attempt of this number, if it is one of a known order; it is written into the books. Null for every other number. */
async function findLostAttempt(world: World, { mchNo, channel, attemptNo }: Asked): Promise<Attempt | null> {
  if (!/^AT\d{30}$/.test(attemptNo)) return null
  for (const transactionNo of await ordersByNumber(world.pool, mchNo, `AP${attemptNo.slice(2, 19)}`)) {
    for (let nth = 1; nth <= NTH_MAX; nth += 1) {
      if (attemptNumber(world.keyedDigits, { transactionNo }, { nth, channel }) !== attemptNo) continue
      await addAttempt(world, { mchNo, transactionNo }, { attemptNo, channel })
      return findAttempt(world.pool, mchNo, attemptNo)
    }
  }
  return null
}

/**
 * Asks the upstreams for attempts of the order that came after the last one in the books. Writes those that are there, and those for
 * which there is no answer: closing the order then asks about them until there is one. Returns how many it has written.
 */
export async function addLostAttempts(world: World, order: Order): Promise<number> {
  const { mchNo, transactionNo } = order
  let added = 0
  let lookUntil = order.attempts + LOOK_BEYOND
  for (let nth = order.attempts + 1; nth <= Math.min(lookUntil, NTH_MAX); nth += 1) {
    const found = await Promise.all(CHANNELS.map((channel) => askFor(world, order, { nth, channel })))
    for (const attempt of found.filter((one) => one !== null)) {
      added += (await addAttempt(world, { mchNo, transactionNo }, attempt)) ? 1 : 0
      if (attempt.isKnown) lookUntil = nth + LOOK_BEYOND
    }
  }
  return added
}

const CHANNELS = Object.keys(INSTALLED) as ChannelName[]

/** Null where the merchant has no account, or the upstream knows no such attempt. */
async function askFor(
  world: World,
  { mchNo, transactionNo }: Order,
  which: { nth: number; channel: ChannelName },
): Promise<{ attemptNo: string; channel: ChannelName; isKnown: boolean } | null> {
  const channel = await world.channelOf(mchNo, which.channel)
  if (channel === null) return null
  const attemptNo = attemptNumber(world.keyedDigits, { transactionNo }, which)
  const answer = await callUpstream(world, within(world, world.limits.channelCallMs), (signal) =>
    channel.query({ attemptNo }, signal),
  )
  if (answer.kind === 'absent') return null
  return { attemptNo, channel: which.channel, isKnown: answer.kind !== 'unknown' }
}

/** Writes the attempt as one whose create was not answered. The order stays as it is. False where the books have it already. */
const addAttempt = (
  world: World,
  { mchNo, transactionNo }: OrderKey,
  { attemptNo, channel: name }: { attemptNo: string; channel: string },
): Promise<boolean> =>
  transaction(world.pool, async (db) => {
    const order = await lockOrder(db, mchNo, { transactionNo })
    if (order === null || (await findAttempt(db, mchNo, attemptNo)) !== null) return false
    const channel = await world.channelOf(mchNo, name)
    const now = world.now()
    // By which way the payer was to pay is lost.
    const method = channel?.methods[0] ?? 'native'
    const createInFlightUntil = new Date(now.getTime() + (channel?.createInFlightMs ?? 0))
    await insertAttempt(db, {
      ...{ mchNo, attemptNo, transactionNo, channel: name, method, openId: null, amountFen: order.amountFen as Fen },
      ...{ state: 'OPENING', payUrl: null, upstreamExpire: order.timeExpire, createInFlightUntil, createdAt: now },
    })
    const { state, closeReason } = order
    const step = { event: 'pay_started', from: state, to: state, closeReason, money: null } as const
    const entry = entryText(step, { attemptNo, channel: name, method, isFoundAfterRestore: true }, now)
    const mac = world.stamps.entry({ mchNo, ref: { transactionNo }, seq: order.headSeq + 1, entry })
    await moveOrder(db, order, { to: state, closeReason, attempts: order.attempts + 1, paid: null, entry, mac, now })
    return true
  })
