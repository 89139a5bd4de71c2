/** The table of stories as a part of docs/order-states.md, in each language. */
import type { Column } from './record.ts'
import { CAUSES, type Cells, REST_RULES, STORIES, type Story } from './stories.ts'

type Tongue = 'zh' | 'en'
type Both = Record<Tongue, string>

const COLUMN_NAMES: Partial<Record<Column, Both>> = {
  open: { zh: '新的支付', en: 'a new payment' },
  close: { zh: '关单', en: 'close' },
  query: { zh: '查单', en: 'query' },
  refund: { zh: '退款', en: 'refund' },
  query_refund: { zh: '查询退款', en: 'refund query' },
  told_payment: { zh: '支付通知', en: 'payment notification' },
  told_refund: { zh: '退款通知', en: 'refund notification' },
  bill: { zh: '对账单', en: 'bill' },
  trouble: { zh: '没有应答，或签名错误', en: 'no answer, a wrong signature' },
}
const REFUSED: Both = { zh: '拒绝', en: 'refused' }
const NEVER: Both = { zh: '永无', en: 'never' }
const ANY_TIME: Both = { zh: '任何时候', en: 'at any time' }
const COLON: Both = { zh: '：', en: ': ' }

const ABOUT: Both = {
  zh: `## 一个订单可以让商户看到什么

网关就一个订单给商户的应答、通知和对账单不得互相矛盾。下表取自规范；\`npm run races\` 在网关之外逐单核对（[proof.zh-CN.md](proof.zh-CN.md)）。*之后*指商户收到首列内容之后才发出的请求；*始终*指订单的一生。每一行在 \`races/rules.test.ts\` 里各有一份以它命名的合法记录与违规记录。`,
  en: `## What one order may show to its merchant

What the gateway answers, notifies and bills for one order must never contradict itself. This table is taken from the
specification; \`npm run races\` checks every order against it from outside the gateway ([proof.md](proof.md)). *After* covers
requests that the merchant sent after it had received what the first column says; *ever* covers the order's whole life.
Each row has a legal and an illegal record under its name in \`races/rules.test.ts\`.`,
}
const HEADS = {
  zh: ['规则', '商户收到', '之后', '始终', '前提', '含义', '出处'],
  en: ['rule', 'received', 'after', 'ever', 'only if', 'meaning', 'from'],
} satisfies Record<Tongue, string[]>

const AT_REST: Both = {
  zh: '没有任务、退款、通知剩下之后，以下规则把订单与上游自己的账目比较：',
  en: "Once no job, refund or notification is left, these rules compare the order with the upstreams' own books:",
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** Several error numbers are shown as one word: refused. */
function words(allowed: readonly string[], tongue: Tongue): string {
  const isNumber = (word: string): boolean => /^\d+$/.test(word)
  if (allowed.length === 0) return NEVER[tongue]
  if (allowed.length > 1 && allowed.every(isNumber)) return REFUSED[tongue]
  const shown = (word: string): string => (isNumber(word) ? word : `\`${word}\``)
  return allowed.map((word) => (word === 'refused' ? REFUSED[tongue] : shown(word))).join(' ')
}

const nameOf = (column: Column, tongue: Tongue): string => COLUMN_NAMES[column]?.[tongue] ?? column

const cells = (of: Cells, tongue: Tongue): string =>
  Object.entries(of)
    .map(([column, allowed]) => nameOf(column as Column, tongue) + COLON[tongue] + words(allowed ?? [], tongue))
    .join('<br>') || '–'

const beginText = ({ rule, begins }: Story, tongue: Tongue): string =>
  rule === 'answered'
    ? ANY_TIME[tongue]
    : begins.map(([column, word]) => `${nameOf(column, tongue)} \`${word}\``).join('<br>')

export const storiesPart = (tongue: Tongue): string => `${ABOUT[tongue]}

${table(
  HEADS[tongue],
  STORIES.map((story) => [
    `\`${story.rule}\``,
    beginText(story, tongue),
    cells(story.after, tongue),
    cells(story.ever, tongue),
    story.needs === undefined ? '–' : CAUSES[story.needs][tongue],
    story.shownBy === undefined ? story[tongue] : `${story[tongue]}<br>${story.shownBy[tongue]}`,
    story.spec,
  ]),
)}

${AT_REST[tongue]}

${table(
  [HEADS[tongue][0] ?? '', HEADS[tongue][5] ?? '', HEADS[tongue][6] ?? ''],
  Object.entries(REST_RULES).map(([rule, of]) => [`\`${rule}\``, of[tongue], of.spec]),
)}
`
