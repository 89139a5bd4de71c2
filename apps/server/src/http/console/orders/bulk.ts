/**
 * One deed for many orders: a preview of what each would get, and the deed itself. Each order goes through the ordinary action, which
 * decides again, because time has passed since the preview.
 */
import { decide, formatYuan } from '@acopay/core'
import { BULK_DEEDS, BULK_MAX, type BulkDone, type BulkPreview, type BulkRow } from '@acopay/protocol/console'
import { findOrder, findOrdersByNumber, listNotifications, type Order } from '@acopay/store/read'
import { resendNotifications } from '../../../actions/notification/resend-notifications.ts'
import { snapshotOf } from '../../../actions/order/change-order.ts'
import { closeOrder } from '../../../actions/order/close-order.ts'
import type { World } from '../../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, oneMerchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'

/** Closing asks upstreams, so some run at once; the others of a call wait for them. */
const AT_ONCE = 5

const NUMBER_MAX = 64
const FIELD_MAX = BULK_MAX * (NUMBER_MAX + 1)

async function inTurns<One, Result>(all: One[], work: (one: One) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = []
  for (let first = 0; first < all.length; first += AT_ONCE) {
    results.push(...(await Promise.all(all.slice(first, first + AT_ONCE).map(work))))
  }
  return results
}

async function preview(world: World, { caller, query }: ConsoleCall): Promise<BulkPreview | Failed> {
  const read = fieldsOf(query)
  const deed = read.word('deed', BULK_DEEDS)
  if (deed === null) read.say('deed', `应为 ${BULK_DEEDS.join(' | ')}`, `should be one of ${BULK_DEEDS.join(' | ')}`)
  const numbers = [...new Set(read.needed('numbers', FIELD_MAX).split(',').filter(Boolean))]
  if (numbers.length > BULK_MAX) read.say('numbers', `至多${BULK_MAX}个单号`, `should be at most ${BULK_MAX} numbers`)
  if (numbers.some((one) => one.length > NUMBER_MAX))
    read.say('numbers', `每个单号至多${NUMBER_MAX}个字符`, `should be numbers of at most ${NUMBER_MAX} characters`)
  const wrong = read.failed()
  if (wrong !== null || deed === null) return wrong ?? { rows: [] }
  return { rows: await inTurns(numbers, (number) => rowOf(world, caller, { number, deed })) }
}

type Asked = { number: string; deed: (typeof BULK_DEEDS)[number] }

async function rowOf(world: World, caller: Caller, { number, deed }: Asked): Promise<BulkRow> {
  const found = await findOrdersByNumber(world.pool, number, caller.mchNo, 2)
  const [only] = found
  const nothing = { number, mch_no: null, transaction_no: null, state: null, amount_total: null }
  if (only === undefined) return { ...nothing, effect: 'absent' }
  if (found.length > 1) return { ...nothing, effect: 'ambiguous' }
  const { mchNo, transactionNo, state, amountFen } = only
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  const effect = order === null ? 'absent' : await effectOf(world, order, deed)
  return {
    number,
    mch_no: mchNo,
    transaction_no: transactionNo,
    state: order?.state ?? state,
    amount_total: formatYuan(amountFen),
    effect,
  }
}

async function effectOf(world: World, order: Order, deed: Asked['deed']): Promise<BulkRow['effect']> {
  if (deed === 'resend') {
    const { mchNo, transactionNo } = order
    const [first] = await listNotifications(world.pool, mchNo, { transactionNo, state: null, before: null }, 1)
    return first === undefined ? 'no_notifications' : 'resends'
  }
  if (order.state === 'CLOSED') return 'closed_already'
  const { refused } = decide(snapshotOf(order), { event: 'close_asked', by: 'OPERATOR' }, world.now().getTime())
  return refused === null ? 'closes' : 'paid'
}

type Ref = { mchNo: string; transactionNo: string }

/** The orders that a call names, each once. */
function refsIn({ caller, body }: ConsoleCall): Ref[] | Failed {
  const { orders } = body
  if (!Array.isArray(orders) || orders.length === 0 || orders.length > BULK_MAX) return NO_LIST()
  const refs = new Map<string, Ref>()
  for (const one of orders as unknown[]) {
    const read = fieldsOf(typeof one === 'object' && one !== null ? (one as Record<string, unknown>) : {})
    const mchNo = oneMerchantOf(caller, read.needed('mch_no', 32))
    const transactionNo = read.needed('transaction_no', 38)
    if (mchNo instanceof Failed) return mchNo
    if (read.failed() !== null) return NO_LIST()
    refs.set(`${mchNo}/${transactionNo}`, { mchNo, transactionNo })
  }
  return [...refs.values()]
}

const NO_LIST = () =>
  failed(
    'FIELD_INVALID',
    `orders 应为1到${BULK_MAX}笔订单，各有 mch_no 与 transaction_no`,
    `orders should be 1 to ${BULK_MAX} orders, each with its mch_no and transaction_no`,
    { field: 'orders' },
  )

async function bulkClose(world: World, call: ConsoleCall): Promise<BulkDone | Failed> {
  const refs = refsIn(call)
  if (refs instanceof Failed) return refs
  const by = call.caller.mchNo === null ? 'OPERATOR' : 'MERCHANT'
  const rows = await inTurns(refs, async ({ mchNo, transactionNo }): Promise<BulkDone['rows'][number]> => {
    const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by, nonce: null })
    const outcome = closed.kind === 'answered' ? closed.outcome : 'absent'
    return { mch_no: mchNo, transaction_no: transactionNo, outcome, resent: null }
  })
  return { rows }
}

async function bulkResend(world: World, call: ConsoleCall): Promise<BulkDone | Failed> {
  const refs = refsIn(call)
  if (refs instanceof Failed) return refs
  const rows = await inTurns(refs, async ({ mchNo, transactionNo }) => {
    const resent = await resendNotifications(world, mchNo, { transactionNo, seq: null })
    return { mch_no: mchNo, transaction_no: transactionNo, outcome: null, resent }
  })
  return { rows }
}

const nameOf = ({ mchNo, transactionNo }: Ref): string => `${mchNo}/${transactionNo}`

/** A list that is refused is noted as an empty one. */
function audited(call: ConsoleCall) {
  const refs = refsIn(call)
  return { mchNo: null, subject: null, detail: { orders: refs instanceof Failed ? [] : refs.map(nameOf) } }
}

/** The state of each order, by its number. */
async function stateOf(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const refs = refsIn(call)
  if (refs instanceof Failed) return {}
  const states = await inTurns(refs, async (ref) => {
    const order = await findOrder(world.pool, ref.mchNo, ref)
    return [nameOf(ref), order?.state ?? null] as const
  })
  return Object.fromEntries(states)
}

export const bulkEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'bulk/preview', permission: 'orders.read', handle: preview },
  {
    method: 'POST',
    path: 'bulk/close',
    permission: 'orders.close',
    action: 'orders.bulk_close',
    audited,
    stateOf,
    handle: bulkClose,
  },
  {
    method: 'POST',
    path: 'bulk/resend',
    permission: 'notifications.resend',
    action: 'notifications.bulk_resend',
    audited,
    handle: bulkResend,
  },
]
