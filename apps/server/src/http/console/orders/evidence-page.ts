/**
 * The evidence about an order as one page to print or to keep as PDF: no script, no foreign address. The signed evidence itself lies in
 * it as JSON, so that the same file can be verified with `acopay evidence verify`.
 */
import type { Said } from '@acopay/protocol/console'
import type { OrderEvidence, StatedReturn } from '../../../actions/order/order-evidence.ts'

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const safe = (text: string): string => text.replace(/[&<>"']/g, (letter) => ESCAPES[letter] as string)

const STYLE = `@page{size:A4;margin:16mm}
body{font:14px/1.5 system-ui,"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",sans-serif;color:#111;background:#fff;max-width:180mm;margin:8mm auto;padding:0 4mm}
h1{font-size:22px;margin:0}h2{font-size:15px;margin:20px 0 6px;break-after:avoid}
.en{color:#555}table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:4px 6px;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f3f3f3;font-weight:600}tr{break-inside:avoid}.mono{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;overflow-wrap:anywhere}
li{margin:4px 0}@media print{body{margin:0;max-width:none;padding:0}}`

const FACTS: [name: string, zh: string, en: string][] = [
  ['mch_no', '商户号', 'merchant'],
  ['transaction_no', '平台订单号', 'order'],
  ['mch_trade_no', '商户订单号', "merchant's number"],
  ['amount_total', '金额（元）', 'amount, yuan'],
  ['state', '状态', 'state'],
  ['success_time', '支付时间', 'paid at'],
  ['close_reason', '关单原因', 'why closed'],
  ['fence_time', '此后不能再发起支付', 'no payment could be opened from'],
  ['close_time', '此后不能再付款', 'nothing could be paid from'],
  ['timeline_length', '时间线条数', 'entries of the timeline'],
  ['timeline_hash', '时间线末条的 SHA-256', 'hash of its last entry'],
  ['made_at', '本凭证出具于', 'issued at'],
]

const head = (zh: string, en: string): string => `<h2>${zh} <span class="en">${en}</span></h2>`

function table(headings: [zh: string, en: string][], rows: string[][]): string {
  const cells = headings.map(([zh, en]) => `<th>${zh}<br><span class="en">${en}</span></th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((one) => `<td class="mono">${safe(one)}</td>`).join('')}</tr>`)
  return `<table><thead><tr>${cells}</tr></thead><tbody>${body.join('')}</tbody></table>`
}

type Facts = Record<string, unknown>
const textOf = (facts: Facts, name: string): string | null => {
  const value = facts[name]
  return typeof value === 'string' ? value : null
}

const listOf = <One>(facts: Facts, name: string): One[] => JSON.parse(textOf(facts, name) ?? '[]') as One[]

function factsTable(facts: Facts): string {
  const rows = FACTS.flatMap(([name, zh, en]) => {
    const value = textOf(facts, name)
    return value === null
      ? []
      : [`<tr><th>${zh} <span class="en">${en}</span></th><td class="mono">${safe(value)}</td></tr>`]
  })
  return `<table><tbody>${rows.join('')}</tbody></table>`
}

function answersPart(facts: Facts): string {
  const said = listOf<Record<string, string | null>>(facts, 'upstream_answers')
  if (said.length === 0) return ''
  const rows = said.map((one) =>
    ['at', 'channel', 'verb', 'says', 'attemptNo', 'requestId'].map((name) => one[name] ?? ''),
  )
  const headings: [string, string][] = [
    ['时间', 'at'],
    ['渠道', 'channel'],
    ['操作', 'asked'],
    ['应答', 'said'],
    ['支付尝试', 'attempt'],
    ['上游请求号', 'request'],
  ]
  return head('关单时上游的应答', 'what the upstreams answered when it was closed') + table(headings, rows)
}

function returnsPart(facts: Facts): string {
  const returns = listOf<StatedReturn>(facts, 'sent_back')
  if (returns.length === 0) return ''
  const rows = returns.map((one) => [
    one.payment_no,
    one.channel,
    `${one.amount} ${one.currency}`,
    one.paid_at,
    one.refund_no,
    one.back_at ?? '退回中 on its way',
  ])
  const headings: [string, string][] = [
    ['上游支付单号', 'payment'],
    ['渠道', 'channel'],
    ['金额', 'amount'],
    ['付款时间', 'paid at'],
    ['退回单号', 'reversal'],
    ['退回时间', 'back at'],
  ]
  return head('退回的款项', 'money that was sent back') + table(headings, rows)
}

function timelinePart(timeline: string[]): string {
  const rows = timeline.map((entry, index) => {
    const { at = '', event = '', to = '' } = JSON.parse(entry) as { at?: string; event?: string; to?: string }
    return [String(index + 1), at, event, to]
  })
  const headings: [string, string][] = [
    ['序', 'no.'],
    ['时间（UTC）', 'at, UTC'],
    ['事件', 'event'],
    ['状态', 'state'],
  ]
  return head('时间线', 'timeline') + table(headings, rows)
}

/** JSON that may lie between script tags. */
const inside = (evidence: OrderEvidence): string => JSON.stringify(evidence, null, 1).replaceAll('<', '\\u003c')

export function evidencePage(evidence: OrderEvidence, story: Said[]): string {
  const facts: Facts = evidence.statement.data ?? {}
  const words = story.map(({ zh, en }) => `<li>${safe(zh)}<br><span class="en">${safe(en)}</span></li>`)
  const number = safe(textOf(facts, 'transaction_no') ?? '')
  return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer">
<title>订单凭证 ${number}</title><style>${STYLE}</style></head><body>
<h1>订单凭证 <span class="en">Order evidence</span></h1>
<p>由翼辉支付网关签名出具，可离线验证。<br><span class="en">Signed by the ACO Pay gateway; it can be verified offline.</span></p>
${factsTable(facts)}
${head('经过', 'what happened')}<ol>${words.join('')}</ol>
${answersPart(facts)}
${returnsPart(facts)}
${timelinePart(evidence.timeline)}
${head('怎样验证', 'how to verify')}
<p>签名覆盖上表与退回的款项；“经过”由它们写成。时间线的每一条都由末条的哈希证明。<br>
<span class="en">The signature covers the facts and the money sent back; the words are written from them. The last hash proves every entry of the timeline.</span></p>
<p class="mono">acopay evidence verify ${number}.html --platform-public-key KEY</p>
<p class="mono">key ${safe(evidence.key_id)}<br>${safe(textOf(facts, 'sign_type') ?? '')}<br>${safe(textOf(facts, 'sign') ?? '')}</p>
<script type="application/json" id="acopay-evidence">${inside(evidence)}</script>
</body></html>
`
}
