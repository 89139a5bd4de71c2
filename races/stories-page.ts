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

商户从一个订单听到的一切须是同一个故事。下表取自规范，由 \`npm run races\` 在网关之外逐单核对（[proof.md](proof.md)）。“之后”指商户听到之后才发出的请求。

All that a merchant hears of one order is one story. This table is taken from the specification; \`npm run races\` holds every
order against it from outside the gateway ([proof.md](proof.md)). *After* is what was asked after the merchant had heard the
first column; *ever* holds before and after. Each row has a legal and an illegal record under its name in
\`races/rules.test.ts\`.

${table(
  ['名称 rule', '听到 heard', '之后 after', '始终 ever', '前提 only if', '说明 meaning', '出处 from'],
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

一切停下之后 When nothing is under way any more, the upstreams' own books included:

${table(
  ['名称 rule', '说明 meaning', '出处 from'],
  Object.entries(REST_RULES).map(([rule, { zh, en, spec }]) => [`\`${rule}\``, `${zh}<br>${en}`, spec]),
)}
`
