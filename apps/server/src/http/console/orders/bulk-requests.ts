/** Operations for many orders that wait for a second person: the list, and what another user does with them. */
import type { BulkDone, BulkRequestList, BulkRequestRow } from '@acopay/protocol/console'
import { type BulkRequest, findBulkRequest, listBulkRequests } from '@acopay/store/read'
import { confirmMany, dropMany } from '../../../actions/bulk/second-person.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, type Failed, failed } from '../call.ts'
import { briefOf } from '../fields.ts'
import { nameOf, rowsOf, statesOf } from './bulk.ts'

/** People make few requests, and each shows all its orders. */
const SHOWN = 50

const requestRow = (caller: string, one: BulkRequest): BulkRequestRow => ({
  request_no: one.requestNo,
  operation: one.operation,
  orders: one.orders.map(({ mchNo, transactionNo }) => ({ mch_no: mchNo, transaction_no: transactionNo })),
  asked_by: one.askedBy,
  asked_at: one.askedAt.toISOString(),
  is_own: one.askedBy === caller,
})

async function list(world: World, { caller }: ConsoleCall): Promise<BulkRequestList> {
  const found = await listBulkRequests(world.pool, caller.mchNo, SHOWN)
  return { rows: found.map((one) => requestRow(caller.username, one)) }
}

const keyOf = ({ caller, path }: ConsoleCall) => ({ requestNo: path.request_no ?? '', mchNo: caller.mchNo })

async function confirm(world: World, call: ConsoleCall): Promise<BulkDone | Failed> {
  const { username, mchNo } = call.caller
  const done = await confirmMany(world, keyOf(call), { username, by: mchNo === null ? 'OPERATOR' : 'MERCHANT' })
  if (done.kind === 'own')
    return failed('CONFLICT', '须由另一人复核，不能确认自己的申请', 'Somebody else has to confirm what you asked for')
  return done.kind === 'absent' ? NO_REQUEST() : { rows: rowsOf(done.rows), request_no: null }
}

async function drop(world: World, call: ConsoleCall): Promise<object | Failed> {
  return (await dropMany(world, keyOf(call))) ? {} : NO_REQUEST()
}

const NO_REQUEST = () =>
  failed(
    'NOT_FOUND',
    '没有这个待复核的申请，可能已处理',
    'No such request waits; it may have been confirmed or given up',
  )

/** What was asked for, and of which orders. */
async function audited(call: ConsoleCall, world: World) {
  const request = await findBulkRequest(world.pool, keyOf(call))
  const detail = request === null ? {} : { operation: request.operation, orders: request.orders.map(nameOf) }
  return { mchNo: request?.mchNo ?? null, subject: briefOf(call.path.request_no, 64), detail }
}

/** The orders of the request that a call confirms: they are read before its row goes, and looked at again after. */
const named = new WeakMap<ConsoleCall, BulkRequest['orders']>()

async function stateOf(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const orders = named.get(call) ?? (await findBulkRequest(world.pool, keyOf(call)))?.orders ?? []
  named.set(call, orders)
  return statesOf(world, orders)
}

export const bulkRequestEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'bulk/requests', permission: 'orders.read', handle: list },
  {
    method: 'POST',
    path: 'bulk/requests/:request_no',
    permission: 'orders.close',
    action: 'bulk.confirm',
    audited,
    stateOf,
    handle: confirm,
  },
  {
    method: 'DELETE',
    path: 'bulk/requests/:request_no',
    permission: 'orders.close',
    action: 'bulk.drop',
    audited,
    handle: drop,
  },
]
