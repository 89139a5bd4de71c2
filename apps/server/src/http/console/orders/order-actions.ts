/** What a user of the console does to an order: the same actions that a merchant's own calls take. */
import { parseYuan } from '@acopay/core'
import { ERRORS, isRefusal, type JsonObject, parseRefundOrder, type Refusal, refuse } from '@acopay/protocol'
import type { Closed } from '@acopay/protocol/console'
import { closeEvidence } from '../../../actions/order/close-evidence.ts'
import { closeOrder } from '../../../actions/order/close-order.ts'
import { type RefundOutcome, refundUpTo } from '../../../actions/refund/refund-order.ts'
import { askForRefund } from '../../../actions/refund/second-person.ts'
import type { World } from '../../../world.ts'
import { evidenceAnswer } from '../../merchant/close-evidence.ts'
import { refundRefused } from '../../merchant/refund-order.ts'
import { ABSENT, type ConsoleCall, type ConsoleEndpoint, Failed, failed, orderOf } from '../call.ts'
import { briefOf } from '../fields.ts'

const ORDER = 'orders/:mch_no/:transaction_no'

const audited = ({ path }: ConsoleCall) => ({ mchNo: path.mch_no ?? null, subject: path.transaction_no ?? null })

async function close(world: World, call: ConsoleCall): Promise<Closed | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const { mchNo, transactionNo } = order
  const by = call.caller.mchNo === null ? 'OPERATOR' : 'MERCHANT'
  const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by, nonce: null })
  return closed.kind === 'answered' ? { outcome: closed.outcome } : ABSENT()
}

async function refund(world: World, call: ConsoleCall): Promise<object | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  // A refund's notification goes where the order's went, so that the merchant's own books follow.
  const { mchNo, transactionNo, notifyUrl } = order
  const asked = readRefund(world, transactionNo, call.body as JsonObject)
  if (asked instanceof Failed) return asked
  const ask = { mchNo, nonce: null, ref: { transactionNo }, notifyUrl, ...asked }
  const refunded = await refundUpTo(world, ask, world.consoleRules.secondPersonAboveFen)
  if (refunded.kind !== 'second_person') return refundAnswer(refunded)
  const said = await askForRefund(world, { mchNo, transactionNo, ...asked, askedBy: call.caller.username })
  return said === 'differs' ? conflict('MCH_REFUND_NO_REPEAT') : { refund_no: null, state: 'WAITING' }
}

export function refundAnswer(refunded: RefundOutcome): object | Failed {
  switch (refunded.kind) {
    case 'absent':
    case 'nonce_used':
      return ABSENT()
    case 'differs':
      return conflict('MCH_REFUND_NO_REPEAT')
    case 'refused':
      return conflict(refundRefused(refunded.why))
    case 'refund':
      return { refund_no: refunded.refund.refundNo, state: refunded.refund.state }
  }
}

/** The fields of a refund have the same limits as in a merchant's own call. */
function readRefund(world: World, transactionNo: string, body: JsonObject) {
  const { mch_refund_no = null, amount = null, reason = null } = body
  const asked = parseRefundOrder(
    { transaction_no: transactionNo, mch_refund_no, refund_amount: amount, refund_reason: reason },
    { loopbackHttp: world.isSandbox },
  )
  if (isRefusal(asked)) return invalid(asked)
  const { mchRefundNo, refundReason } = asked
  const amountFen = parseYuan(asked.refundAmount)
  return amountFen === null ? invalid(NO_AMOUNT) : { mchRefundNo, amountFen, reason: refundReason }
}

const NO_AMOUNT: Refusal = {
  refused: 'PARAM_ERROR',
  fieldErrors: 'refund_amount 应为两位小数的元，如"12.50"',
  field: 'refund_amount',
}

/** The console's name of a field on the wire, and what its value should be. */
const FIELDS: Record<string, { name: string; en: string }> = {
  mch_refund_no: { name: 'mch_refund_no', en: 'should be 24 to 50 letters, digits, _ or -' },
  refund_amount: { name: 'amount', en: 'should be yuan with two decimals, like "12.50"' },
  refund_reason: { name: 'reason', en: 'should be a text of 1 to 32 characters' },
}

function invalid({ field = '', fieldErrors }: Refusal): Failed {
  const { name, en } = FIELDS[field] ?? { name: 'amount', en: 'cannot be refunded like this' }
  return failed('FIELD_INVALID', fieldErrors, `${name} ${en}`, { field: name })
}

async function evidence(world: World, call: ConsoleCall): Promise<object | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const { mchNo, transactionNo } = order
  const found = await closeEvidence(world, { mchNo, ref: { transactionNo } })
  if (found === null) return ABSENT()
  if (found === 'open')
    return failed('CONFLICT', '订单未关闭，没有关单凭证', 'The order is not closed: there is nothing to prove')
  return evidenceAnswer(found)
}

/** What is no amount is refused by the call itself. */
function isLargeRefund({ body }: ConsoleCall, { consoleRules }: World): boolean {
  const asked = typeof body.amount === 'string' ? parseYuan(body.amount) : null
  return asked !== null && asked > consoleRules.proofAboveFen
}

/** What calls about an order may change. */
async function stateOf(world: World, call: ConsoleCall): Promise<Record<string, unknown>> {
  const order = await orderOf(world, call)
  return order instanceof Failed ? {} : { state: order.state, close_reason: order.closeReason, timeline: order.headSeq }
}

const conflict = (why: keyof typeof ERRORS): Failed => failed('CONFLICT', refuse(why).fieldErrors, ERRORS[why].en)

export const orderActionEndpoints: ConsoleEndpoint[] = [
  {
    method: 'POST',
    path: `${ORDER}/close`,
    permission: 'orders.close',
    action: 'orders.close',
    stateOf,
    audited,
    handle: close,
  },
  {
    method: 'POST',
    path: `${ORDER}/refunds`,
    permission: 'refunds.create',
    needsProof: isLargeRefund,
    action: 'refunds.create',
    stateOf,
    audited: (call) => {
      const { mch_refund_no, amount } = call.body
      return { ...audited(call), detail: { mch_refund_no: briefOf(mch_refund_no, 64), amount: briefOf(amount, 64) } }
    },
    handle: refund,
  },
  { method: 'GET', path: `${ORDER}/evidence`, permission: 'orders.read', handle: evidence },
]
