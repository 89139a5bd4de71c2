/** The attempts, payments, refunds, reversals and jobs of one order. */
import type { OrderDetail } from '@acopay/protocol/console'
import { when, yuan } from '../../format.ts'
import { Answer, Mono, Rows, State } from '../../parts.tsx'
import { usePreferences } from '../../preferences.tsx'
import { Channel } from './orders.tsx'

export function Attempts({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  return (
    <>
      <h2>{t('attempts')}</h2>
      <Rows
        label={t('attempts')}
        rows={order.attempts}
        keyOf={(one) => one.attempt_no}
        columns={[
          { text: 'attemptNo', show: (one) => <Mono>{one.attempt_no}</Mono> },
          { text: 'channel', show: (one) => `${word(one.channel)} ${word(one.method)}` },
          { text: 'state', show: (one) => <State of={one.state} /> },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          { text: 'changedAt', show: (one) => when(one.changed_at) },
          { text: 'watchedUntil', show: (one) => when(one.watched_until) },
          { text: 'lastAnswer', show: (one) => <Answer of={one.last_answer} />, isText: true },
        ]}
      />
    </>
  )
}

export function Payments({ order }: { order: OrderDetail }) {
  const { t } = usePreferences()
  return (
    <>
      <h2>{t('payments')}</h2>
      <Rows
        label={t('payments')}
        rows={order.payments}
        keyOf={(one) => one.attempt_no + one.payment_no}
        columns={[
          { text: 'paymentNo', show: (one) => <Mono>{one.payment_no}</Mono> },
          { text: 'channel', show: (one) => <Channel of={one.channel} /> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'fate', show: (one) => <State of={one.fate} /> },
          { text: 'paidAt', show: (one) => when(one.paid_at) },
          { text: 'bookedAt', show: (one) => when(one.booked_at) },
        ]}
      />
    </>
  )
}

export function Refunds({ order }: { order: OrderDetail }) {
  const { t } = usePreferences()
  return (
    <>
      <h2>{t('refunds')}</h2>
      <Rows
        label={t('refunds')}
        rows={order.refunds}
        keyOf={(one) => one.refund_no}
        columns={[
          { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
          { text: 'mchRefundNo', show: (one) => <Mono>{one.mch_refund_no}</Mono> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
          { text: 'reason', show: (one) => one.reason, isText: true },
          { text: 'lastAnswer', show: (one) => one.failure ?? <Answer of={one.last_answer} />, isText: true },
          { text: 'createdAt', show: (one) => when(one.created_at) },
        ]}
      />
    </>
  )
}

export function Reversals({ order }: { order: OrderDetail }) {
  const { t } = usePreferences()
  return (
    <>
      <h2>{t('reversals')}</h2>
      <Rows
        label={t('reversals')}
        rows={order.reversals}
        keyOf={(one) => one.refund_no}
        columns={[
          { text: 'refundNo', show: (one) => <Mono>{one.refund_no}</Mono> },
          { text: 'paymentNo', show: (one) => <Mono>{one.payment_no}</Mono> },
          { text: 'amount', show: (one) => yuan(one.amount) },
          { text: 'state', show: (one) => <State of={`done_${one.state}`} /> },
          { text: 'lastAnswer', show: (one) => <Answer of={one.last_answer} />, isText: true },
          { text: 'createdAt', show: (one) => when(one.created_at) },
          { text: 'changedAt', show: (one) => when(one.changed_at) },
        ]}
      />
    </>
  )
}

export function Jobs({ order }: { order: OrderDetail }) {
  const { t, word } = usePreferences()
  if (order.jobs.length === 0) return null
  return (
    <>
      <h2>{t('jobs')}</h2>
      <Rows
        label={t('jobs')}
        rows={order.jobs}
        keyOf={(one) => one.kind + one.subject}
        columns={[
          { text: 'kind', show: (one) => word(one.kind) },
          { text: 'subject', show: (one) => <Mono>{one.subject}</Mono> },
          { text: 'dueAt', show: (one) => when(one.due_at) },
          { text: 'tries', show: (one) => one.tries },
        ]}
      />
    </>
  )
}
