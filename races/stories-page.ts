/** The table of stories as a part of docs/order-states.md. */
import type { Column } from './record.ts'
import { CAUSES, type Cells, REST_RULES, STORIES, type Story } from './stories.ts'

const COLUMN_NAMES: Partial<Record<Column, string>> = {
  open: '新的支付 a new payment',
  close: '关单 close',
  query: '查询 query',
  refund: '退款 refund',
  query_refund: '退款查询 refund query',
  told_payment: '付款通知 payment notification',
  told_refund: '退款通知 refund notification',
  bill: '账单 bill',
  trouble: '无应答、错误的签名 no answer, a wrong signature',
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

const code = (word: string): string => {
  if (word === 'refused') return '被拒 refused'
  return /^\d+$/.test(word) ? word : `\`${word}\``
}

/** Several error numbers are shown as one word: refused. */
const words = (allowed: readonly string[]): string => {
  if (allowed.length === 0) return '永无 never'
  if (allowed.length > 1 && allowed.every((word) => /^\d+$/.test(word))) return '被拒 refused'
  return allowed.map(code).join(' ')
}

const cells = (of: Cells): string =>
  Object.entries(of)
    .map(([column, allowed]) => `${COLUMN_NAMES[column as Column] ?? column}: ${words(allowed ?? [])}`)
    .join('<br>') || '–'

const beginText = ({ rule, begins }: Story): string =>
  rule === 'answered'
    ? '任何时候 at any time'
    : begins.map(([column, word]) => `${COLUMN_NAMES[column] ?? column} \`${word}\``).join('<br>')

export const storiesPart = (): string => `## 一个订单的故事 What one order may show to its merchant

网关就一个订单给商户的应答、通知和账单不得互相矛盾。下表取自规范，由 \`npm run races\` 在网关之外逐单核对（[proof.md](proof.md)）。“之后”指商户收到首列内容之后才发出的请求。

What the gateway answers, notifies and bills for one order must never contradict itself. This table is taken from the
specification; \`npm run races\` checks every order against it from outside the gateway ([proof.md](proof.md)). *After* covers
requests that the merchant sent after it had received what the first column says; *ever* covers the order's whole life.
Each row has a legal and an illegal record under its name in \`races/rules.test.ts\`.

${table(
  ['名称 rule', '商户收到 received', '之后 after', '始终 ever', '前提 only if', '说明 meaning', '出处 from'],
  STORIES.map((story) => [
    `\`${story.rule}\``,
    beginText(story),
    cells(story.after),
    cells(story.ever),
    story.needs === undefined ? '–' : `${CAUSES[story.needs].zh}<br>${CAUSES[story.needs].en}`,
    `${story.zh}<br>${story.en}${story.shownBy === undefined ? '' : `<br>${story.shownBy}`}`,
    story.spec,
  ]),
)}

处理全部结束之后 Once no job, refund or notification is left, these rules compare the order with the upstreams' own books:

${table(
  ['名称 rule', '说明 meaning', '出处 from'],
  Object.entries(REST_RULES).map(([rule, { zh, en, spec }]) => [`\`${rule}\``, `${zh}<br>${en}`, spec]),
)}
`
