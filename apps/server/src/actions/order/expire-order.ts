/**
 * Closes orders past their expiry. Those for which no attempt was ever opened are closed in whole lists; of the others, each is fenced by
 * itself, with the job that closes its attempts upstream.
 */
import { decide } from '@acopay/core'
import {
  type Expired,
  expireUntouched,
  type LapsedOrder,
  lapsedOrders,
  lapsedOrdersOfEach,
  type Reach,
} from '@acopay/store'
import type { World } from '../../world.ts'
import { changeOrder } from './change-order.ts'
import { entryText } from './timeline-entry.ts'

const SWEPT_AT_ONCE = 1024
/** The keyed hashes of a list take about a millisecond of the thread that also answers requests. */
const EXPIRED_TOGETHER = 128
const FENCED_AT_ONCE = 100

/** The table's step for an untouched order that has lapsed. The store writes it to such orders only. */
const UNTOUCHED_EXPIRY = (() => {
  const untouched = { state: 'NOTPAY', closeReason: null, attempts: 0, expiresAtMs: 0 } as const
  const step = decide(untouched, { event: 'expired' }, 0).steps[0]
  if (step === undefined) throw new Error('the table no longer expires an untouched order')
  return step
})()

/**
 * One sweep. Returns how many orders it has dealt with or found dealt with: while that is not 0, there may be more. Several processes may
 * sweep at once: each claims orders as it writes them, and takes its lists in an order of its own. One that meets another at its first
 * list returns 0 and so leaves the orders to it until its next look: to read and offer them twice costs more than it gains.
 */
export async function expireOrders(world: World): Promise<number> {
  const due = world.sureNow()
  const lapsed = await world.overAll(({ reach }) => findLapsed(world, due, reach))
  const tried = lapsed.filter(({ attempts }) => attempts > 0).slice(0, FENCED_AT_ONCE)
  const untouched = lapsed.filter(({ attempts }) => attempts === 0)
  let dealtWith = 0
  for (const list of shuffled(world, listsOf(world, untouched))) {
    const found = await expireList(world, list, due)
    const isMine = 2 * found.filter((what) => what === 'moved').length >= list.length
    // Only another sweep has half of a whole list. What is left of these orders is better read again.
    const isMet = !isMine && list.length === EXPIRED_TOGETHER
    if (!isMet) dealtWith += found.filter((what) => what !== 'held').length
    if (!isMine) break
  }
  for (const key of shuffled(world, tried)) await expireOrder(world, key)
  return dealtWith + tried.length
}

/** If more have lapsed than fit, those of every merchant alike, so that one merchant's many do not hold up the others'. */
async function findLapsed({ pool }: World, due: Date, reach: Reach): Promise<LapsedOrder[]> {
  const oldest = await lapsedOrders(pool, due, SWEPT_AT_ONCE, reach)
  if (oldest.length < SWEPT_AT_ONCE) return oldest
  const ofEach = await lapsedOrdersOfEach(pool, due, SWEPT_AT_ONCE, reach)
  const nameOf = ({ mchNo, transactionNo }: LapsedOrder): string => `${mchNo}/${transactionNo}`
  const names = new Set(ofEach.map(nameOf))
  return [...ofEach, ...oldest.filter((one) => !names.has(nameOf(one)))].slice(0, SWEPT_AT_ONCE)
}

/** The orders of one list are of one group of merchants. */
function listsOf({ groupOf }: World, orders: LapsedOrder[]): LapsedOrder[][] {
  const lists: LapsedOrder[][] = []
  const open = new Map<string, LapsedOrder[]>()
  for (const order of orders) {
    const group = groupOf(order.mchNo)
    const list = open.get(group) ?? []
    if (list.length === 0) lists.push(list)
    list.push(order)
    open.set(group, list.length < EXPIRED_TOGETHER ? list : [])
  }
  return lists
}

function expireList(world: World, list: LapsedOrder[], due: Date): Promise<Expired[]> {
  const now = world.now()
  const entry = entryText(UNTOUCHED_EXPIRY, {}, now)
  const orders = list.map(({ mchNo, transactionNo }) => ({
    mchNo,
    transactionNo,
    mac: world.stamps.entry({ mchNo, ref: { transactionNo }, seq: 2, entry }),
  }))
  return expireUntouched(world.pool, { expiry: { ...UNTOUCHED_EXPIRY, entry }, orders, due, now })
}

/** If the order has attempts, this writes the job that closes them upstream. */
async function expireOrder(world: World, key: { mchNo: string; transactionNo: string }): Promise<void> {
  const { mchNo, transactionNo } = key
  await changeOrder(world, { mchNo, ref: { transactionNo } }, { event: 'expired' })
}

function shuffled<One>({ random }: World, some: readonly One[]): One[] {
  return some
    .map((one) => ({ one, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one)
}
