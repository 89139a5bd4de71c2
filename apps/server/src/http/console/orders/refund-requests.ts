/** Refunds that wait for a second person: the list, and what another user does with them. */
import { formatYuan } from '@acopay/core'
import type { RefundRequestList, RefundRequestRow } from '@acopay/protocol/console'
import { listRefundRequests, type RefundRequest } from '@acopay/store/read'
import { confirmRefund, dropRefundRequest } from '../../../actions/refund/second-person.ts'
import type { World } from '../../../world.ts'
import { type ConsoleCall, type ConsoleEndpoint, Failed, failed, merchantOf, oneMerchantOf } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'
import { PLACE_MAX, pageOf, placeParts, placeText } from '../places.ts'
import { refundAnswer } from './order-actions.ts'

const rowOf = (caller: string, one: RefundRequest): RefundRequestRow => ({
  mch_no: one.mchNo,
  transaction_no: one.transactionNo,
  mch_refund_no: one.mchRefundNo,
  amount: formatYuan(one.amountFen),
  reason: one.reason,
  asked_by: one.askedBy,
  asked_at: one.askedAt.toISOString(),
  is_own: one.askedBy === caller,
})

const placeOf = ({ asked_at, mch_no, mch_refund_no }: RefundRequestRow): string =>
  placeText([asked_at, mch_no, mch_refund_no])

async function list(world: World, { caller, query }: ConsoleCall): Promise<RefundRequestList | Failed> {
  const read = fieldsOf(query)
  const mchNo = merchantOf(caller, read.text('mch_no', 32) ?? undefined)
  if (mchNo instanceof Failed) return mchNo
  const place = read.text('after', PLACE_MAX)
  const [askedAt = '', ofMerchant = '', mchRefundNo = ''] = place === null ? [] : (placeParts(place, 3) ?? [])
  const isPlace = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(askedAt) && !Number.isNaN(Date.parse(askedAt))
  if (place !== null && !isPlace) read.say('after', '应为上一页的 next', 'should be the next of the page before')
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const after = place === null ? null : { askedAt: new Date(askedAt), mchNo: ofMerchant, mchRefundNo }
  const found = await listRefundRequests(world.pool, { mchNo, after, limit: limit + 1 })
  return pageOf(
    found.map((one) => rowOf(caller.username, one)),
    limit,
    placeOf,
  )
}

function keyOf({ caller, path }: ConsoleCall): { mchNo: string; mchRefundNo: string } | Failed {
  const mchNo = oneMerchantOf(caller, path.mch_no ?? '')
  return mchNo instanceof Failed ? mchNo : { mchNo, mchRefundNo: path.mch_refund_no ?? '' }
}

async function confirm(world: World, call: ConsoleCall): Promise<object | Failed> {
  const key = keyOf(call)
  if (key instanceof Failed) return key
  const refunded = await confirmRefund(world, key, call.caller.username)
  if (refunded.kind === 'own') {
    return failed('CONFLICT', '须由另一人复核，不能确认自己的申请', 'Somebody else has to confirm what you asked for')
  }
  return refunded.kind === 'absent' ? NO_REQUEST() : refundAnswer(refunded)
}

async function drop(world: World, call: ConsoleCall): Promise<object | Failed> {
  const key = keyOf(call)
  if (key instanceof Failed) return key
  return (await dropRefundRequest(world, key)) ? {} : NO_REQUEST()
}

const NO_REQUEST = () =>
  failed(
    'NOT_FOUND',
    '没有这个待复核的退款，可能已处理',
    'No such refund waits; it may have been confirmed or given up',
  )

const audited = ({ path }: ConsoleCall) => ({ mchNo: path.mch_no ?? null, subject: briefOf(path.mch_refund_no, 64) })

export const refundRequestEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'refund-requests', permission: 'orders.read', handle: list },
  {
    method: 'POST',
    path: 'refund-requests/:mch_no/:mch_refund_no',
    permission: 'refunds.create',
    needsProof: () => true,
    action: 'refunds.confirm',
    audited,
    handle: confirm,
  },
  {
    method: 'DELETE',
    path: 'refund-requests/:mch_no/:mch_refund_no',
    permission: 'refunds.create',
    action: 'refunds.drop',
    audited,
    handle: drop,
  },
]
