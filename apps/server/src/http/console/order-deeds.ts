/** What is done to an order at the console: the same actions that a merchant's own calls take. */

import { parseYuan } from '@acopay/core'
import { ERRORS, isRefusal, type JsonObject, parseRefundOrder, refuse } from '@acopay/protocol'
import type { Closed } from '@acopay/protocol/console'
import { closeEvidence } from '../../actions/close-evidence.ts'
import { closeOrder } from '../../actions/close-order.ts'
import { refundOrder } from '../../actions/refund-order.ts'
import { evidenceAnswer } from '../close-evidence.ts'
import { refundRefused } from '../refund-order.ts'
import { ABSENT, type ConsoleCall, type ConsoleEndpoint, Failed, failed, orderOf } from './call.ts'

const ORDER = 'orders/:mch_no/:transaction_no'

const audited = ({ path }: ConsoleCall) => ({ mchNo: path.mch_no ?? null, subject: path.transaction_no ?? null })

export const orderDeedEndpoints: ConsoleEndpoint[] = [
  {
    method: 'POST',
    path: `${ORDER}/close`,
    permission: 'orders.close',
    action: 'orders.close',
    audited,
    async handle(world, call): Promise<Closed | Failed> {
      const order = await orderOf(world, call)
      if (order instanceof Failed) return order
      const { mchNo, transactionNo } = order
      const by = call.caller.mchNo === null ? 'OPERATOR' : 'MERCHANT'
      const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by, nonce: null })
      return closed.kind === 'answered' ? { outcome: closed.outcome } : ABSENT()
    },
  },
  {
    method: 'POST',
    path: `${ORDER}/refunds`,
    permission: 'refunds.create',
    action: 'refunds.create',
    audited: (call) => {
      const { mch_refund_no, amount } = call.body
      return { ...audited(call), detail: { mch_refund_no: brief(mch_refund_no), amount: brief(amount) } }
    },
    async handle(world, call) {
      const order = await orderOf(world, call)
      if (order instanceof Failed) return order
      const { mchNo, transactionNo } = order
      const { mch_refund_no = null, amount = null, reason = null } = call.body as JsonObject
      // The fields and their limits are those of a merchant's own refund.
      const asked = parseRefundOrder(
        { transaction_no: transactionNo, mch_refund_no, refund_amount: amount, refund_reason: reason },
        { loopbackHttp: world.isSandbox },
      )
      const why = isRefusal(asked) ? asked.fieldErrors : null
      const amountFen = isRefusal(asked) ? null : parseYuan(asked.refundAmount)
      if (isRefusal(asked) || amountFen === null) {
        const says = why ?? 'refund_amount 应为两位小数的元，如"12.50"'
        return failed('FIELD_INVALID', says, `A field is wrong: ${says}`, {
          field: FIELD[says.split(' ')[0] ?? ''] ?? 'amount',
        })
      }
      const { mchRefundNo, refundReason } = asked
      // The merchant hears of it where it hears of the order: its own books must follow.
      const { notifyUrl } = order
      const refunded = await refundOrder(world, {
        ...{ mchNo, nonce: null, ref: { transactionNo }, mchRefundNo, amountFen, reason: refundReason, notifyUrl },
      })
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
    },
  },
  {
    method: 'GET',
    path: `${ORDER}/evidence`,
    permission: 'orders.read',
    async handle(world, call) {
      const order = await orderOf(world, call)
      if (order instanceof Failed) return order
      const { mchNo, transactionNo } = order
      const evidence = await closeEvidence(world, { mchNo, ref: { transactionNo } })
      if (evidence === null) return ABSENT()
      if (evidence === 'open')
        return failed('CONFLICT', '订单未关闭，没有关单凭证', 'The order is not closed: there is nothing to prove')
      return evidenceAnswer(evidence)
    },
  },
]

/** The wire's fields by their names at the console. */
const FIELD: Record<string, string> = {
  mch_refund_no: 'mch_refund_no',
  refund_amount: 'amount',
  refund_reason: 'reason',
}

const brief = (value: unknown): string => String(value ?? '').slice(0, 64)

const conflict = (why: keyof typeof ERRORS): Failed => failed('CONFLICT', refuse(why).fieldErrors, ERRORS[why].en)
