/** The first page of the OpenAPI document: how to call, how to sign, what errors there are. */
import { requestText } from '../canonical.ts'
import { ERRORS } from '../errors.ts'
import { SIGN_TYPE } from '../sign.ts'
import { closeExample } from './examples.ts'
import type { RecordedCall } from './recording.ts'

const RULE = `## 签名 · Signing

每个请求都由商户私钥签名，签名放在四个请求头里；每个应答由平台私钥签名，签名在 \`data.sign\`。

1. 取全部业务参数（GET 用解码后的查询参数，POST 用请求体的成员），去掉值为 null 的，保留空字符串；去掉 \`aco_pay_sdk\` 与 \`version\`。
2. 加入 \`mch_no\`、\`nonce\`、\`sign_type\`，与请求头的值相同。
3. 按名称的 UTF-16 编码单元排序。
4. 写成紧凑 JSON，不留空白。只转义 \`\\"\`、\`\\\\\`、\`\\b \\f \\n \\r \\t\`、其余小于 U+0020 的字符（\`\\u00xx\`，小写）以及 U+2028、U+2029；中文、\`/\`、\`<\` 等原样写出。
5. 用商户私钥对 UTF-8 字节做 SHA256withRSA（RSASSA-PKCS1-v1_5），结果写成 Base64。

应答的待签文本是整个信封的同样写法的 JSON：去掉 \`data.sign\` 与值为 null 的成员，\`data\` 内部也排序。通知的待签文本是除 \`sign\` 外全部非 null 成员。

The merchant's private key signs every request, and the signature travels in four headers. The platform's private key signs every answer, in \`data.sign\`.

1. Take all business parameters (for GET the decoded query, for POST the members of the body). Drop those that are null, keep empty texts, drop \`aco_pay_sdk\` and \`version\`.
2. Add \`mch_no\`, \`nonce\` and \`sign_type\`, as in the headers.
3. Sort by name, by UTF-16 code units.
4. Write compact JSON without blanks. Escape only \`\\"\`, \`\\\\\`, \`\\b \\f \\n \\r \\t\`, other characters below U+0020 (\`\\u00xx\`, lower case), U+2028 and U+2029. Chinese, \`/\`, \`<\` and all others stay as they are.
5. Sign the UTF-8 bytes with SHA256withRSA (RSASSA-PKCS1-v1_5) under the merchant's private key, and write the result in Base64.

The signed text of an answer is the whole envelope written in the same way, without \`data.sign\` and without members that are null; the members of \`data\` are sorted too. The signed text of a notification is all of its members that are not null, except \`sign\`.`

/** A recorded request, taken apart as someone who signs it has to. */
function workedExample({ params, headers }: RecordedCall): string {
  const [mchNo, nonce] = [headers['x-acopay-mch-no'], headers['x-acopay-nonce']]
  return `### 例子 · A worked example

关单的请求体 · The body that closes an order:

\`\`\`json
${JSON.stringify(params)}
\`\`\`

待签文本（一行，末尾无换行） · The text that is signed (one line, no line break at its end):

\`\`\`json
${requestText(params, { mchNo, nonce, signType: SIGN_TYPE })}
\`\`\`

请求头 · The headers:

\`\`\`http
${Object.entries(headers)
  .map(([name, value]) => `${name}: ${value}`)
  .join('\n')}
\`\`\`

源码的 \`docs/wire/signing.md\` 有更多例子与可供核对的密钥；管理台的“API 调试”会显示每次请求的待签文本。

\`docs/wire/signing.md\` of the source has more examples, with keys to check a signer against. The API explorer of the console shows the signed text of each request.`
}

const envelope = `## 应答 · Answers

除路径、方法错误或请求体过大外，HTTP 状态都是 200。\`status\` 为 200 时已处理，业务结果看 \`data.code\`；否则是下表的错误，\`fieldErrors\` 说明原因。标“可以”的错误可用同样的业务号码、新的随机串重试。金额是以元为单位的字符串；时间是 RFC 3339，+08:00。只有带 \`aco_pay_sdk\`（任意文本）的请求才得到 \`pay_channel\`、\`pay_method\`、\`refund_channel\`，因为旧版 SDK 不认识它们。

The HTTP status is 200, except for a wrong path, a wrong method or a body that is too large. Where \`status\` is 200 the call was processed and \`data.code\` has the business result; otherwise it is one of the errors below, and \`fieldErrors\` says why. Errors with *yes* may be tried again with the same business numbers and a new nonce. Amounts are texts in yuan; times are RFC 3339 in +08:00. Only requests with \`aco_pay_sdk\` (any text) get \`pay_channel\`, \`pay_method\` and \`refund_channel\`, because older SDKs do not know these.`

const errorTable = (): string =>
  [
    '| status | message | 说明 | Meaning | 重试 Retry |',
    '| --- | --- | --- | --- | --- |',
    ...Object.entries(ERRORS).map(
      ([name, { status, zh, en, retry }]) =>
        `| ${status} | ${name} | ${zh} | ${en} | ${retry ? '可以 yes' : '不要 no'} |`,
    ),
  ].join('\n')

export function aboutText(): string {
  const example = closeExample()
  return [
    '商户用这些接口下单、查询、关单、退款，并接收通知。\n\nWith these calls merchants place, query, close and refund orders, and hear of payments.',
    RULE,
    ...(example === undefined ? [] : [workedExample(example)]),
    envelope,
    errorTable(),
  ].join('\n\n')
}

/** What `securitySchemes` says of the signature. */
export const SIGNATURE_TEXT =
  '请求的签名，见文首“签名”一节与源码的 docs/wire/signing.md。每个请求的签名都不同，不是固定的密钥；随机串不得重复。\n\nThe signature of the request: see *Signing* at the beginning of this document, and docs/wire/signing.md of the source. It is another one for each request and not a fixed key; a nonce is used once.'
