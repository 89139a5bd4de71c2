/** Writes the pages and files of docs/ that are made from the tables of the code: `npm run docs`. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
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
import { CLOSE_ANSWERS, ERRORS, STATE_ANSWERS } from '@acopay/protocol'
import { storiesPart } from '../races/stories-page.ts'
import { table } from './markdown-table.ts'
import { postmanCollection } from './postman/collection.ts'
import { wireDocs } from './wire-docs.ts'

const DOCS = path.resolve(import.meta.dirname, '../docs')

const WRITTEN_BY = '<!-- Made from the code by `npm run docs`; edit the table there, not this page. -->'

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([name, { status, retry, zh, en }]) => [
    String(status),
    `\`${name}\``,
    zh,
    en,
    retry ? '可以 yes' : '不要 no',
  ])
  return `# 错误码 Errors

${WRITTEN_BY}

An answer carries one of these in \`status\` and \`message\`; \`fieldErrors\` says in at most 50 Chinese characters which
field and what to do. **Retry** means: the same business numbers and a new nonce may succeed later, with nothing changed.
An error is signed when the caller's own signature verified, and not otherwise; an unsigned error proves nothing about
the order.

${table(['status', 'message', '说明', 'Meaning', 'Retry'], rows)}

A business result that is no error has \`status\` 200. For *close order* it is one of:

${table(
  ['code', 'description', 'Meaning'],
  Object.entries(CLOSE_ANSWERS).map(([outcome, { code, description }]) => [
    `\`${code}\``,
    description,
    CLOSE_MEANINGS[outcome as keyof typeof CLOSE_ANSWERS],
  ]),
)}

Other HTTP statuses than 200: 404 (no such path), 405 (no such method there), 413 (body over 64 KiB), 400 (not HTTP),
503 (only \`/readyz\`, while the database cannot be reached or the clock is in doubt).
`
}

const CLOSE_MEANINGS: Record<keyof typeof CLOSE_ANSWERS, string> = {
  closed: 'The order is closed now or was before; it is never paid.',
  expired: 'It had expired and is closed; it is never paid.',
  paid: 'The payer was faster. Deliver, or refund.',
  closing: 'Not every upstream has answered yet. Ask again; no payment can be started meanwhile.',
}

const EVENT_MEANINGS: Record<OrderEvent, string> = {
  pay_started: 'a payer starts a payment',
  close_asked: 'the merchant or an operator asks to close',
  expired: 'its expiry has passed',
  all_shut: 'every attempt is proven closed upstream',
  money_arrived: 'an upstream reports a payment of the exact amount',
  refund_asked: 'the merchant asks for a refund',
  refund_done: 'the upstream has made a refund',
  refund_failed: 'the upstream refuses a refund for good',
  money_returned: "the upstream, or the merchant in the upstream's own pages, has sent back the kept payment",
}

const STATE_MEANINGS: Record<OrderState, string> = {
  NOTPAY: 'It can be paid.',
  CLOSING: 'No payment can be started; the gateway closes the existing attempts.',
  CLOSED: 'Final. The order cannot be paid; the gateway reverses a late payment.',
  SUCCESS: 'Paid once.',
  REFUND: 'Paid, and then refunded in part or in full, or returned outside.',
}

type Cell = { to: OrderState; untouched?: OrderState; money?: 'keep' | 'reverse' } | { no: string }

function orderCell(from: OrderState, cell: Cell): string {
  if ('no' in cell) return `no: \`${cell.no}\``
  const money = cell.money === undefined ? '' : `, payment ${cell.money === 'keep' ? 'kept' : 'reversed'}`
  if (cell.to === from) return `stays${money}`
  const untouched = cell.untouched === undefined ? '' : ` (no attempt ever: **${cell.untouched}**)`
  return `**${cell.to}**${untouched}${money}`
}

function orderStatesPage(): string {
  return `# 订单状态 The life of an order

${WRITTEN_BY}

${table(
  ['state', '说明', 'Meaning'],
  ORDER_STATES.map((state) => [`\`${state}\``, STATE_ANSWERS[state], STATE_MEANINGS[state]]),
)}

Rows: the order's state. Columns: the event. An order past its expiry gets \`expired\` before any other event, even if the
sweep has not reached it yet. A payment of another amount or currency than the order's is always reversed and leaves the
state as it is.

${table(
  ['', ...ORDER_EVENTS.map((event) => `\`${event}\`<br>${EVENT_MEANINGS[event]}`)],
  ORDER_STATES.map((state) => [
    `**${state}**`,
    ...ORDER_EVENTS.map((event) => orderCell(state, ORDER_TABLE[state][event])),
  ]),
)}

## Attempts

One attempt is one try to have the order paid through one channel. The gateway writes \`SHUT\` (closed) only after the
upstream itself has confirmed it.

${table(
  ['', ...ATTEMPT_EVENTS.map((event) => `\`${event}\``)],
  ATTEMPT_STATES.map((state) => [
    `**${state}**`,
    ...ATTEMPT_EVENTS.map((event) => {
      const to = ATTEMPT_TABLE[state][event]
      return to === state ? 'stays' : `**${to}**`
    }),
  ]),
)}

${storiesPart()}`
}

/** Every generated page, by its file name below docs/. */
export const generatedDocs = (): Record<string, string> => ({
  'errors.md': errorsPage(),
  'order-states.md': orderStatesPage(),
  ...wireDocs(),
  'acopay.postman_collection.json': `${JSON.stringify(postmanCollection(), null, 2)}\n`,
})

export const readDoc = (name: string): string => fs.readFileSync(path.join(DOCS, name), 'utf8')

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(generatedDocs())) {
    fs.writeFileSync(path.join(DOCS, name), text)
    console.log(`docs/${name}`)
  }
}
