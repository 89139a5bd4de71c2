/**
 * What happened to an order, in plain sentences for people who answer the merchant's questions. Pure: it reads what the order's page
 * holds. Times are China's, as on the pages.
 */
import type { OrderDetail, PaymentRow, ReversalRow } from './orders.ts'
import { gapBetween, nameOfChannel, type Said, said, timeIn } from './story-words.ts'

/** The parts of an order that its story is made of. */
export type Told = Pick<
  OrderDetail,
  | 'state'
  | 'close_reason'
  | 'amount_total'
  | 'created_at'
  | 'time_expire'
  | 'timeline'
  | 'attempts'
  | 'payments'
  | 'refunds'
  | 'reversals'
>

/** Why a payment went back. `returned_outside`: the upstream, or the merchant in the upstream's own pages, did it. */
export const SENT_BACK_WHY = ['late', 'second', 'wrong_amount', 'returned_outside'] as const
export type SentBackWhy = (typeof SENT_BACK_WHY)[number]

/** What a payment that went back looked like. `was_kept`: it paid the order first. */
export type SentBackFacts = {
  order_closed: boolean
  order_amount: string
  amount: string
  currency: string
  was_kept: boolean
  /** It was back already when the gateway learned of it. */
  came_returned: boolean
}

/**
 * An order that is closed stays closed, and one that is paid stays paid: so its state of today says which of the two it was when an
 * exact payment came that it could not keep.
 */
export function whySentBack(facts: SentBackFacts): SentBackWhy {
  if (facts.was_kept || facts.came_returned) return 'returned_outside'
  if (facts.amount !== facts.order_amount || facts.currency !== 'CNY') return 'wrong_amount'
  return facts.order_closed ? 'late' : 'second'
}

/** The sentences, in the order in which things happened. There is always one at least. */
export function storyOf(order: Told): Said[] {
  const refunds = order.refunds.map((one) => refunded(order, one))
  return [beginning(order), ...reversalsOf(order), ...refunds].flat()
}

const at = (order: Told, iso: string): string => timeIn(iso, order.created_at)

function beginning(order: Told): Said {
  switch (order.state) {
    case 'NOTPAY':
      return waiting(order)
    case 'CLOSING':
      return closing(order)
    case 'CLOSED':
      return closed(order)
    case 'SUCCESS':
    case 'REFUND':
      return paid(order)
  }
}

function waiting(order: Told): Said {
  const until = at(order, order.time_expire)
  const last = order.attempts.at(-1)
  if (last === undefined) {
    return said(
      `还没有人打开支付；${until} 前未付款则关闭`,
      `nobody has opened a payment yet; unpaid, it closes at ${until}`,
    )
  }
  const [when, channel] = [at(order, last.created_at), nameOfChannel(last.channel)]
  return said(
    `付款人 ${when} 打开了${channel.zh}，尚未付款；${until} 前未付款则关闭`,
    `the payer opened ${channel.en} at ${when} and has not paid; unpaid, it closes at ${until}`,
  )
}

const WHO = {
  MERCHANT: { zh: '商户', en: 'the merchant' },
  OPERATOR: { zh: '运营', en: 'an operator' },
  EXPIRED: { zh: '', en: '' },
} as const

/** Who or what began the close, and when. */
function asked(order: Told): Said {
  const fence = order.timeline.find(({ to }) => to === 'CLOSING' || to === 'CLOSED')
  const when = at(order, fence?.at ?? order.time_expire)
  const reason = order.close_reason ?? 'EXPIRED'
  if (reason === 'EXPIRED') return said(`订单 ${when} 过期`, `the order expired at ${when}`)
  const { zh, en } = WHO[reason]
  return said(`${zh} ${when} 关单`, `${en} closed the order at ${when}`)
}

function closing(order: Told): Said {
  const open = order.attempts.filter(({ state }) => state === 'OPENING' || state === 'OPEN').length
  const { zh, en } = asked(order)
  return said(
    `${zh}；正在向上游确认 ${open} 个支付尝试已不能付款，确认之前若已付款，订单算已支付`,
    `${en}; the upstreams are being asked to confirm that ${counted(open, 'attempt')} can no longer be paid; if one was paid before that, the order is paid`,
  )
}

/** When the order became closed for good; null while it is not. */
export const closedAt = ({ timeline }: Pick<Told, 'timeline'>): string | null =>
  timeline.find(({ to }) => to === 'CLOSED')?.at ?? null

function closed(order: Told): Said {
  const { zh, en } = asked(order)
  if (order.attempts.length === 0) return said(`${zh}；从未打开过支付`, `${en}; no payment was ever opened`)
  const when = at(order, closedAt(order) ?? order.time_expire)
  const count = order.attempts.length
  return said(
    `${zh}；${when} 起 ${count} 个支付尝试都已不能付款`,
    `${en}; from ${when} on, ${counted(count, 'attempt')} could no longer be paid`,
  )
}

function paid(order: Told): Said {
  const kept = order.payments.find(({ fate }) => fate === 'keep')
  if (kept === undefined) return said('订单已支付', 'the order is paid')
  const [when, channel] = [at(order, kept.paid_at), nameOfChannel(kept.channel)]
  const after = gapBetween(order.created_at, kept.paid_at)
  const base = said(
    `付款人 ${when} 用${channel.zh}付款，在下单后 ${after.zh}`,
    `the payer paid with ${channel.en} at ${when}, ${after.en} after the order was placed`,
  )
  const fence = order.timeline.find(({ to }) => to === 'CLOSING')
  if (fence === undefined) return base
  const close = at(order, fence.at)
  return said(
    `${base.zh}；${close} 要求关单时，上游已收款，所以订单是已支付而不是已关闭`,
    `${base.en}; when the close was asked for at ${close} an upstream had taken the money, so the order is paid and not closed`,
  )
}

/** One or two sentences for each payment that went back or is on its way, by the time of its booking. */
function reversalsOf(order: Told): Said[] {
  return order.payments.flatMap((payment) => {
    const reversal = order.reversals.find(
      (one) => one.attempt_no === payment.attempt_no && one.payment_no === payment.payment_no,
    )
    return reversal === undefined ? [] : [came(order, payment, reversal), went(order, reversal)].flat()
  })
}

const factsOf = (order: Told, payment: PaymentRow, reversal: ReversalRow): SentBackFacts => ({
  order_closed: order.state === 'CLOSED',
  order_amount: order.amount_total,
  amount: payment.amount,
  currency: payment.currency,
  was_kept: payment.fate === 'keep',
  came_returned: reversal.by_upstream && reversal.created_at === reversal.changed_at,
})

function came(order: Told, payment: PaymentRow, reversal: ReversalRow): Said[] {
  const why = whySentBack(factsOf(order, payment, reversal))
  const when = at(order, payment.paid_at)
  switch (why) {
    case 'late':
      return [late(order, payment)]
    case 'second':
      return [
        said(
          `${when} 同一订单收到第二笔付款 ¥${payment.amount}，订单只保留一笔`,
          `a second payment of ¥${payment.amount} for the same order was made at ${when}; an order keeps only one`,
        ),
      ]
    case 'wrong_amount':
      return [
        said(
          `${when} 收到 ${payment.amount} ${payment.currency}，与订单金额 ¥${order.amount_total} 不符，不予保留`,
          `${payment.amount} ${payment.currency} was paid at ${when}, which is not the order's ¥${order.amount_total}, so it is not kept`,
        ),
      ]
    case 'returned_outside':
      return payment.fate === 'keep'
        ? []
        : [said(`${when} 收到付款 ¥${payment.amount}`, `¥${payment.amount} was paid at ${when}`)]
  }
}

/** A payment of a closed order. By its upstream's clock it may have been made before the close, and told only after it. */
function late(order: Told, payment: PaymentRow): Said {
  const end = closedAt(order) ?? payment.booked_at
  const when = at(order, payment.paid_at)
  const gap = gapBetween(wholeSeconds(end), payment.paid_at)
  if (Date.parse(payment.paid_at) >= Date.parse(wholeSeconds(end))) {
    return said(`付款人 ${when} 付款，比关单晚 ${gap.zh}`, `the payer paid at ${when}, ${gap.en} after the close`)
  }
  const told = at(order, payment.booked_at)
  return said(
    `上游 ${told} 才告知：付款人 ${when} 付款，比关单早 ${gap.zh}；上游关单时说没有付款，所以关单有效`,
    `only at ${told} did the upstream tell that the payer had paid at ${when}, ${gap.en} before the close; it had confirmed that nothing was paid, so the close stands`,
  )
}

/** Upstreams tell whole seconds: a payment of the same second as the close is not called earlier. */
const wholeSeconds = (iso: string): string => `${iso.slice(0, 19)}.000Z`

function went(order: Told, reversal: ReversalRow): Said {
  const done = at(order, reversal.changed_at)
  if (reversal.state === 'PROCESSING') {
    const since = at(order, reversal.created_at)
    return reversal.is_stuck
      ? said(
          `${since} 起退回，至今未成，需要处理`,
          `it has been on its way back since ${since} and is stuck: see to it`,
        )
      : said(`${since} 起正在退回`, `it has been on its way back since ${since}`)
  }
  if (reversal.by_upstream) {
    return said(
      `${done} 得知款项已在网关之外退回付款人`,
      `at ${done} it was found to be back with the payer, returned outside this gateway`,
    )
  }
  const took = gapBetween(reversal.created_at, reversal.changed_at)
  return said(`${done} 已退回，用了 ${took.zh}`, `it was sent back at ${done}, which took ${took.en}`)
}

function refunded(order: Told, refund: OrderDetail['refunds'][number]): Said {
  const { amount, reason } = refund
  switch (refund.state) {
    case 'SUCCESS': {
      const when = at(order, refund.success_time ?? refund.created_at)
      return said(`${when} 退款 ¥${amount}（${reason}）`, `¥${amount} was refunded at ${when} (${reason})`)
    }
    case 'PROCESSING': {
      const when = at(order, refund.created_at)
      return said(`${when} 起退款 ¥${amount}，处理中`, `a refund of ¥${amount} has been under way since ${when}`)
    }
    case 'FAIL': {
      const when = at(order, refund.created_at)
      const why = refund.failure ?? ''
      return said(`${when} 的退款 ¥${amount} 失败：${why}`, `the refund of ¥${amount} of ${when} failed: ${why}`)
    }
  }
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
