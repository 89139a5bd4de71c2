/** The pages docs/errors.md and docs/errors.zh-CN.md, made of the list of errors: `npm run docs`. */
import { CLOSE_ANSWERS, ERRORS } from '@acopay/protocol'
import { table, WRITTEN_BY } from './markdown-table.ts'
import type { Both, Tongue } from './wire-texts.ts'

const CLOSE_MEANINGS: Record<keyof typeof CLOSE_ANSWERS, Both> = {
  closed: {
    zh: '订单现在关闭了，或者早已关闭：永远不会再被支付。',
    en: 'The order is closed now or was before; it is never paid.',
  },
  expired: { zh: '订单已过期并关闭：永远不会再被支付。', en: 'It had expired and is closed; it is never paid.' },
  paid: { zh: '付款人先付了款。请发货，或退款。', en: 'The payer was faster. Deliver, or refund.' },
  closing: {
    zh: '还有上游没有应答。请稍后再问；其间不能再发起支付。',
    en: 'Not every upstream has answered yet. Ask again; no payment can be started meanwhile.',
  },
}

const errors = (tongue: Tongue): string =>
  table(
    { zh: ['status', 'message', '说明', '可否重试'], en: ['status', 'message', 'meaning', 'retry'] }[tongue],
    Object.entries(ERRORS).map(([name, { status, retry, zh, en }]) => [
      String(status),
      `\`${name}\``,
      ...{ zh: [zh, retry ? '可以' : '不要'], en: [en, retry ? 'yes' : 'no'] }[tongue],
    ]),
  )

const closes = (tongue: Tongue): string =>
  table(
    ['code', 'description', { zh: '含义', en: 'meaning' }[tongue]],
    Object.entries(CLOSE_ANSWERS).map(([outcome, { code, description }]) => [
      `\`${code}\``,
      description,
      CLOSE_MEANINGS[outcome as keyof typeof CLOSE_ANSWERS][tongue],
    ]),
  )

export function errorsPage(tongue: Tongue): string {
  return tongue === 'zh'
    ? `# 错误码

[English](errors.md)

${WRITTEN_BY}

出错的应答在 \`status\` 和 \`message\` 里写明是下列哪一个；\`fieldErrors\` 用最多50个汉字指出是哪个字段、应当怎么办，没有更具体的就是表中的“说明”。**可否重试**指：同样的单号、新的随机串，别的都不改，以后可能成功。调用方自己的签名验证通过，错误才有签名；没有签名的错误不说明订单的任何情况。遇到每个错误怎么办，见[接口](wire/calls.zh-CN.md#所有接口的错误)。

${errors('zh')}

不是错误的业务结果，\`status\` 为200。关单的结果是下列之一：

${closes('zh')}

200之外的 HTTP 状态：404（没有这个地址），405（方法不对），413（请求体超过64 KiB），400（不是 HTTP），503（只有 \`/readyz\`，网关做不了商户要它做的事期间）。
`
    : `# Errors

[中文](errors.zh-CN.md)

${WRITTEN_BY}

An answer carries one of these in \`status\` and \`message\`; \`fieldErrors\` says in at most 50 Chinese characters which
field and what to do, or else what the error means. **Retry** means: the same business numbers and a new nonce may succeed
later, with nothing changed. An error is signed when the caller's own signature verified, and not otherwise; an unsigned error
proves nothing about the order. What to do about each: [calls](wire/calls.md#the-errors-of-every-call).

${errors('en')}

A business result that is no error has \`status\` 200. For *close order* it is one of:

${closes('en')}

Other HTTP statuses than 200: 404 (no such path), 405 (no such method there), 413 (body over 64 KiB), 400 (not HTTP),
503 (only \`/readyz\`, while the gateway cannot do what merchants ask for).
`
}
