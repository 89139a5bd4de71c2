/** `GET orders` and `GET refunds` [ours]: a merchant's orders and refunds, page by page. */
import { formatYuan } from '@acopay/core'
import {
  type Answer,
  DONE_ANSWER,
  isRefusal,
  type ListedOrder,
  type ListedRefund,
  type Period,
  parseListOrders,
  parseListRefunds,
  REFUND_ANSWERS,
  STATE_ANSWERS,
  timeText,
} from '@acopay/protocol'
import {
  findOrder,
  type Looked,
  listMerchantsRefunds,
  type MerchantsOrder,
  type MerchantsRefund,
} from '@acopay/store/read'
import { listOrders } from '../../actions/order/list-orders.ts'
import { platformNumber } from '../../security/numbers.ts'
import { absentOrder } from './archived.ts'
import type { Endpoint } from './exchange.ts'

const PAGE = 100

export const ordersEndpoint: Endpoint = {
  method: 'GET',
  path: 'orders',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseListOrders(params)
    if (isRefusal(asked)) return { answer: asked }
    const { ref, appNo, state } = asked
    // One row more than a page shows whether there is a next page.
    const found = await listOrders(world, mchNo, { ref, appNo, state, ...boundsOf('AP', asked) }, PAGE + 1)
    const { rows, next } = pageOf(found, ({ transactionNo }) => transactionNo)
    const orders = JSON.stringify(rows.map(listedOrder))
    return { answer: { ...DONE_ANSWER, orders, next } satisfies Answer<'get orders'> }
  },
}

export const refundsEndpoint: Endpoint = {
  method: 'GET',
  path: 'refunds',
  bodySigned: false,
  async handle(world, { mchNo }, params) {
    const asked = parseListRefunds(params)
    if (isRefusal(asked)) return { answer: asked }
    const { ref, refundRef, state } = asked
    const order = ref === null ? null : await findOrder(world.pool, mchNo, ref)
    if (ref !== null && order === null) return { answer: await absentOrder(world, mchNo, ref) }
    const filter = { transactionNo: order?.transactionNo ?? null, refundRef, state, ...boundsOf('AR', asked) }
    const found = await listMerchantsRefunds(world.pool, mchNo, filter, { limit: PAGE + 1 })
    const { rows, next } = pageOf(found, ({ refundNo }) => refundNo)
    const refunds = JSON.stringify(rows.map(listedRefund))
    return { answer: { ...DONE_ANSWER, refunds, next } satisfies Answer<'get refunds'> }
  },
}

/** Where the list goes on: after a full page, or where the store has stopped to look, whose page may have few rows or none. */
function pageOf<Row>({ rows, goOnBefore }: Looked<Row>, numberOf: (row: Row) => string) {
  const page = rows.slice(0, PAGE)
  const last = page.at(-1)
  return { rows: page, next: rows.length > PAGE && last !== undefined ? numberOf(last) : goOnBefore }
}

type Asked = Period & { before: string | null }

/** Numbers begin with the time, so that a period and a page are ranges of numbers. */
function boundsOf(prefix: 'AP' | 'AR', { from, until, before }: Asked): { from: string; before: string } {
  const end = until === null ? AFTER[prefix] : platformNumber(prefix, until, '')
  return {
    from: from === null ? prefix : platformNumber(prefix, from, ''),
    before: before !== null && before < end ? before : end,
  }
}

/** Every number of its kind is before it. */
const AFTER = { AP: 'AQ', AR: 'AS' } as const

const listedOrder = (order: MerchantsOrder): ListedOrder => ({
  app_no: order.appNo,
  mch_trade_no: order.mchTradeNo,
  transaction_no: order.transactionNo,
  code: order.state,
  description: STATE_ANSWERS[order.state],
  extra: order.extra,
  created_time: timeText(order.createdAt),
  time_expire: timeText(order.timeExpire),
  success_time: order.successTime === null ? null : timeText(order.successTime),
  acoid: order.payer,
  amount_total: formatYuan(order.amountFen),
  pay_channel: order.payChannel,
  pay_method: order.payMethod,
})

const listedRefund = (refund: MerchantsRefund): ListedRefund => ({
  mch_trade_no: refund.mchTradeNo,
  transaction_no: refund.transactionNo,
  mch_refund_no: refund.mchRefundNo,
  refund_no: refund.refundNo,
  code: refund.state,
  description: REFUND_ANSWERS[refund.state],
  refund_amount: formatYuan(refund.amountFen),
  refund_reason: refund.reason,
  created_time: timeText(refund.createdAt),
  success_time: refund.successTime === null ? null : timeText(refund.successTime),
  refund_channel: refund.channel,
})
