/**
 * One operation for many orders: a preview of what each would get, and the operation itself. Each order goes through the ordinary action, which
 * decides again, because time has passed since the preview.
 */
import { decide, formatYuan } from '@acopay/core'
import {
  BULK_MAX,
  BULK_OPERATIONS,
  type BulkDone,
  type BulkOperation,
  type BulkPreview,
  type BulkRow,
} from '@acopay/protocol/console'
import { findOrder, findOrdersByNumber, listNotifications, type Order } from '@acopay/store/read'
import { doForMany, inTurns, type ManyDone } from '../../../actions/bulk/many-orders.ts'
import { askForMany } from '../../../actions/bulk/second-person.ts'
import { snapshotOf } from '../../../actions/order/change-order.ts'
import type { World } from '../../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, oneMerchantOf } from '../call.ts'
import { fieldsOf } from '../fields.ts'

const NUMBER_MAX = 64
const FIELD_MAX = BULK_MAX * (NUMBER_MAX + 1)

async function preview(world: World, { caller, query }: ConsoleCall): Promise<BulkPreview | Failed> {
  const read = fieldsOf(query)
  const operation = read.word('operation', BULK_OPERATIONS)
  if (operation === null)
    read.say('operation', `应为 ${BULK_OPERATIONS.join(' | ')}`, `should be one of ${BULK_OPERATIONS.join(' | ')}`)
  const numbers = [...new Set(read.needed('numbers', FIELD_MAX).split(',').filter(Boolean))]
  if (numbers.length > BULK_MAX) read.say('numbers', `至多${BULK_MAX}个单号`, `should be at most ${BULK_MAX} numbers`)
  if (numbers.some((one) => one.length > NUMBER_MAX))
    read.say('numbers', `每个单号至多${NUMBER_MAX}个字符`, `should be numbers of at most ${NUMBER_MAX} characters`)
  const wrong = read.failed()
  if (wrong !== null || operation === null) return wrong ?? { rows: [] }
  return { rows: await inTurns(numbers, (number) => rowOf(world, caller, { number, operation })) }
}

type Asked = { number: string; operation: (typeof BULK_OPERATIONS)[number] }

async function rowOf(world: World, caller: Caller, { number, operation }: Asked): Promise<BulkRow> {
  const found = await findOrdersByNumber(world.pool, number, caller.mchNo, 2)
  const [only] = found
  const nothing = { number, mch_no: null, transaction_no: null, state: null, amount_total: null }
  if (only === undefined) return { ...nothing, effect: 'absent' }
  if (found.length > 1) return { ...nothing, effect: 'ambiguous' }
  const { mchNo, transactionNo, state, amountFen } = only
  const order = await findOrder(world.pool, mchNo, { transactionNo })
  const effect = order === null ? 'absent' : await effectOf(world, order, operation)
  return {
    number,
    mch_no: mchNo,
    transaction_no: transactionNo,
    state: order?.state ?? state,
    amount_total: formatYuan(amountFen),
    effect,
  }
}

async function effectOf(world: World, order: Order, operation: Asked['operation']): Promise<BulkRow['effect']> {
  if (operation === 'resend') {
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

/** Does it, or leaves it to a second person where it is about more orders than one may choose alone. */
const bulk =
  (operation: BulkOperation) =>
  async (world: World, call: ConsoleCall): Promise<BulkDone | Failed> => {
    const orders = refsIn(call)
    if (orders instanceof Failed) return orders
    const { username, mchNo } = call.caller
    const most = world.consoleRules.bulkAloneMax
    if (most !== null && orders.length > most)
      return { rows: [], request_no: await askForMany(world, { operation, orders, askedBy: username }) }
    const rows = await doForMany(world, { operation, orders, by: mchNo === null ? 'OPERATOR' : 'MERCHANT' })
    return { rows: rowsOf(rows), request_no: null }
  }

export const rowsOf = (rows: ManyDone): BulkDone['rows'] =>
  rows.map(({ mchNo, transactionNo, ...result }) => ({ mch_no: mchNo, transaction_no: transactionNo, ...result }))

export const nameOf = ({ mchNo, transactionNo }: Ref): string => `${mchNo}/${transactionNo}`

/** A list that is refused is noted as an empty one. */
function audited(call: ConsoleCall) {
  const refs = refsIn(call)
  return { mchNo: null, subject: null, detail: { orders: refs instanceof Failed ? [] : refs.map(nameOf) } }
}

/** The state of each order, by its number. */
async function stateOf(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const refs = refsIn(call)
  return refs instanceof Failed ? {} : statesOf(world, refs)
}

export async function statesOf(world: World, refs: Ref[]): Promise<Record<string, unknown>> {
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
    handle: bulk('close'),
  },
  {
    method: 'POST',
    path: 'bulk/resend',
    permission: 'notifications.resend',
    action: 'notifications.bulk_resend',
    audited,
    handle: bulk('resend'),
  },
]
