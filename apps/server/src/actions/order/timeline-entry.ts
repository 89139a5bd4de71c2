/** The text of a timeline entry: event, states, time and details of a step. */
import type { Step } from '@acopay/core'
import type { Event } from './events.ts'

/** One entry of the timeline. Its exact bytes are hashed and stored. */
export function entryText(step: Step, detail: Record<string, unknown>, now: Date): string {
  const { event, from, to, closeReason, money } = step
  return JSON.stringify({ at: now.toISOString(), event, from, to, closeReason, money, ...detail })
}

/** The fields that an event adds to its entry. */
export function detailOf(event: Event): Record<string, unknown> {
  switch (event.event) {
    case 'pay_started':
      return { attemptNo: event.attempt.attemptNo, channel: event.attempt.channel, method: event.attempt.method }
    case 'close_asked':
      return { by: event.by }
    case 'expired':
      return {}
    case 'refund_asked': {
      const { refundNo, mchRefundNo, amountFen } = event.refund
      return { refundNo, mchRefundNo, amountFen: amountFen.toString() }
    }
    case 'refund_done':
      return { refundNo: event.refundNo, ...(event.isCorrection ? { isCorrection: true } : {}) }
    case 'refund_failed':
      return { refundNo: event.refundNo, failure: event.failure }
    case 'all_shut':
      return { attemptNos: event.attemptNos, said: event.said }
    case 'money_arrived': {
      const { paymentNo, amountFen, currency, paidAt } = event.payment
      const paid = { paymentNo, amountFen: amountFen.toString(), currency, paidAt: paidAt.toISOString() }
      return { attemptNo: event.attemptNo, ...paid, ...(event.isReturned ? { isReturned: true } : {}) }
    }
  }
}
