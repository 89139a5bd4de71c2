/** docs/order-states.md and its Chinese twin, made from the tables of the code. */
import {
  ATTEMPT_EVENTS,
  ATTEMPT_STATES,
  ATTEMPT_TABLE,
  ORDER_EVENTS,
  ORDER_STATES,
  ORDER_TABLE,
  type OrderEvent,
  type OrderState,
} from '@acopay/core'
import { STATE_ANSWERS } from '@acopay/protocol'
import { storiesPart } from '../races/stories-page.ts'
import { table, WRITTEN_BY } from './markdown-table.ts'

type Tongue = 'zh' | 'en'
type Both = Record<Tongue, string>

const EVENT_MEANINGS: Record<OrderEvent, Both> = {
  pay_started: { zh: '付款人发起支付', en: 'a payer starts a payment' },
  close_asked: { zh: '商户或运营人员要求关单', en: 'the merchant or an operator asks to close' },
  expired: { zh: '过期时间已到', en: 'its expiry has passed' },
  all_shut: { zh: '每个支付尝试都已证明在上游关闭', en: 'every attempt is proven closed upstream' },
  money_arrived: { zh: '上游报告一笔金额相符的付款', en: 'an upstream reports a payment of the exact amount' },
  refund_asked: { zh: '商户要求退款', en: 'the merchant asks for a refund' },
  refund_done: { zh: '上游已完成退款', en: 'the upstream has made a refund' },
  refund_failed: { zh: '上游最终拒绝退款', en: 'the upstream refuses a refund for good' },
  money_returned: {
    zh: '上游，或商户在上游自己的页面里，退回了保留的付款',
    en: "the upstream, or the merchant in the upstream's own pages, has sent back the kept payment",
  },
}

const STATE_MEANINGS: Record<OrderState, Both> = {
  NOTPAY: { zh: '可以支付。', en: 'It can be paid.' },
  CLOSING: {
    zh: '不能再发起支付；网关正在关闭已有的支付尝试。',
    en: 'No payment can be started; the gateway closes the existing attempts.',
  },
  CLOSED: {
    zh: '最终状态。订单不能支付；迟到的付款由网关自动退回。',
    en: 'Final. The order cannot be paid; the gateway reverses a late payment.',
  },
  SUCCESS: { zh: '已支付一次。', en: 'Paid once.' },
  REFUND: {
    zh: '支付之后部分或全部退款，或在网关之外退回。',
    en: 'Paid, and then refunded in part or in full, or returned outside.',
  },
}

/** The words of a cell of the tables. */
const CELLS = {
  zh: {
    no: (why: string) => `拒绝：\`${why}\``,
    keep: '，保留付款',
    reverse: '，自动退回付款',
    stays: '不变',
    untouched: (to: string) => `（从未有支付尝试：**${to}**）`,
  },
  en: {
    no: (why: string) => `no: \`${why}\``,
    keep: ', payment kept',
    reverse: ', payment reversed',
    stays: 'stays',
    untouched: (to: string) => ` (no attempt ever: **${to}**)`,
  },
}

type Cell = { to: OrderState; untouched?: OrderState; money?: 'keep' | 'reverse' } | { no: string }

function orderCell(from: OrderState, cell: Cell, tongue: Tongue): string {
  const words = CELLS[tongue]
  if ('no' in cell) return words.no(cell.no)
  const money = cell.money === undefined ? '' : words[cell.money]
  if (cell.to === from) return words.stays + money
  const untouched = cell.untouched === undefined ? '' : words.untouched(cell.untouched)
  return `**${cell.to}**${untouched}${money}`
}

const TEXTS = {
  zh: {
    title: '# 订单状态\n\n[English](order-states.md)',
    stateHead: ['状态', '说明', '含义'],
    order:
      '行是订单的状态，列是事件。过了过期时间的订单，即使还没有扫到，也先发生 `expired`，再发生别的事件。金额或币种与订单不同的付款一律自动退回，状态不变。',
    attempts:
      '## 支付尝试\n\n一个支付尝试，是经一个渠道为订单收款的一次尝试。上游自己确认已关闭之后，网关才写入 `SHUT`（已关闭）。',
  },
  en: {
    title: '# The life of an order\n\n[中文](order-states.zh-CN.md)',
    stateHead: ['state', 'description', 'meaning'],
    order: `Rows: the order's state. Columns: the event. An order past its expiry gets \`expired\` before any other event, even if the
sweep has not reached it yet. A payment of another amount or currency than the order's is always reversed and leaves the
state as it is.`,
    attempts: `## Attempts

One attempt is one try to have the order paid through one channel. The gateway writes \`SHUT\` (closed) only after the
upstream itself has confirmed it.`,
  },
} satisfies Record<Tongue, object>

const statesTable = (tongue: Tongue): string =>
  table(
    TEXTS[tongue].stateHead,
    ORDER_STATES.map((state) => [`\`${state}\``, STATE_ANSWERS[state], STATE_MEANINGS[state][tongue]]),
  )

const orderTable = (tongue: Tongue): string =>
  table(
    ['', ...ORDER_EVENTS.map((event) => `\`${event}\`<br>${EVENT_MEANINGS[event][tongue]}`)],
    ORDER_STATES.map((state) => [
      `**${state}**`,
      ...ORDER_EVENTS.map((event) => orderCell(state, ORDER_TABLE[state][event], tongue)),
    ]),
  )

const attemptTable = (tongue: Tongue): string =>
  table(
    ['', ...ATTEMPT_EVENTS.map((event) => `\`${event}\``)],
    ATTEMPT_STATES.map((state) => [
      `**${state}**`,
      ...ATTEMPT_EVENTS.map((event) => {
        const to = ATTEMPT_TABLE[state][event]
        return to === state ? CELLS[tongue].stays : `**${to}**`
      }),
    ]),
  )

export const orderStatesPage = (tongue: Tongue): string => `${TEXTS[tongue].title}

${WRITTEN_BY}

${statesTable(tongue)}

${TEXTS[tongue].order}

${orderTable(tongue)}

${TEXTS[tongue].attempts}

${attemptTable(tongue)}

${storiesPart(tongue)}`
