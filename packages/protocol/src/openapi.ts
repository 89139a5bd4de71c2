/**
 * The transactions API, the calls of the payer's page and the notifications as an OpenAPI 3.1 document, generated from the
 * server's own tables. Texts are Chinese first: titles are `中文 · English`, descriptions are a paragraph of each.
 */
import { ANSWER_FIELDS, type AnswerName, type FieldShape } from './answer-fields.ts'
import { BASE_PATH } from './answers.ts'
import { ERRORS, type ErrorName } from './errors.ts'
import { HEARD, type NotificationKind } from './notifications.ts'
import { aboutText, SIGNATURE_TEXT } from './openapi/about.ts'
import { CALLS, type Call, COMMON_REFUSALS, paragraphsOf, type Texts, titleOf } from './openapi/calls.ts'
import { CASHIER_SCHEMAS, cashierPaths } from './openapi/cashier-paths.ts'
import {
  answerExamples,
  headerExample,
  notificationExample,
  queryExample,
  requestExamples,
} from './openapi/examples.ts'
import type { SignatureHeaderValues } from './openapi/recording.ts'
import { answerName, parameterSchema, refTo, requestName, rulesOf, schemas } from './openapi/schemas.ts'
import { TAG_LIST, tagged } from './openapi/tags.ts'
import { SIGN_TYPE } from './sign.ts'

export type Operation = Call & {
  name: AnswerName
  method: 'get' | 'post'
  path: string
  answers: Record<string, FieldShape>
}

export const OPERATIONS: readonly Operation[] = (Object.keys(CALLS) as AnswerName[]).map((name) => ({
  ...CALLS[name],
  name,
  method: name.startsWith('post ') ? 'post' : 'get',
  path: name.slice(name.indexOf(' ') + 1),
  answers: ANSWER_FIELDS[name],
}))

const HEADERS: Record<string, Texts & { header: keyof SignatureHeaderValues; schema?: object }> = {
  MchNo: { header: 'x-acopay-mch-no', zh: '商户号', en: 'The merchant number', schema: { maxLength: 32 } },
  Nonce: {
    header: 'x-acopay-nonce',
    zh: '随机串，1至32个字符，每个请求不同',
    en: 'Random text of 1 to 32 characters, used once',
    schema: { minLength: 1, maxLength: 32 },
  },
  SignType: {
    header: 'x-acopay-sign-type',
    zh: '签名算法',
    en: 'The algorithm of the signature',
    schema: { enum: [SIGN_TYPE] },
  },
  Sign: {
    header: 'x-acopay-sign',
    zh: '待签文本的签名，Base64。规则见文首“签名”一节与 docs/wire/signing.md',
    en: 'The signature of the canonical text, in Base64. For the rule see *Signing* at the beginning, and docs/wire/signing.md',
  },
}

const headerParameters = () =>
  Object.fromEntries(
    Object.entries(HEADERS).map(([name, { header, schema, ...texts }]) => [
      name,
      {
        name: header,
        in: 'header',
        required: true,
        schema: { type: 'string', ...schema },
        description: paragraphsOf(texts),
        ...headerExample(header),
      },
    ]),
  )

const SIGNATURE_HEADERS = Object.keys(HEADERS).map((name) => ({ $ref: `#/components/parameters/${name}` }))

const queryParameters = ({ name: call }: Operation) =>
  rulesOf(call).map(([name, rule]) => {
    const { description, ...schema } = parameterSchema(name, rule)
    return { name, in: 'query', required: rule.required, schema, description, ...queryExample(call, name) }
  })

const requestBody = (call: AnswerName) => ({
  required: true,
  content: { 'application/json': { schema: refTo(requestName(call)), examples: requestExamples(call) } },
})

const refusalWords = (names: readonly ErrorName[]): string =>
  names.map((name) => `${ERRORS[name].status} ${name}`).join(', ')

const answeredText = ({ refusals }: Operation): string => {
  const all = refusalWords([...refusals, ...COMMON_REFUSALS])
  return paragraphsOf({
    zh: `处理结果。status 为 200 时看 data.code，否则为拒绝，可能是：${all}`,
    en: `The result. Where status is 200, data.code tells it. Otherwise it is a refusal, one of: ${all}`,
  })
}

const operationOf = (operation: Operation) => ({
  operationId: operation.id,
  tags: tagged(operation.tag),
  summary: titleOf(operation),
  description: paragraphsOf(operation.says),
  security: [{ signature: [] }],
  parameters: [...SIGNATURE_HEADERS, ...(operation.method === 'get' ? queryParameters(operation) : [])],
  ...(operation.method === 'get' ? {} : { requestBody: requestBody(operation.name) }),
  responses: {
    200: {
      description: answeredText(operation),
      content: {
        'application/json': {
          schema: { oneOf: [refTo(answerName(operation.name)), refTo('Refusal')] },
          examples: answerExamples(operation.name),
        },
      },
    },
    '4XX': { $ref: '#/components/responses/NotACall' },
  },
})

const WEBHOOKS: Record<NotificationKind, Texts & { id: string; schema: string; says: Texts }> = {
  payment: {
    id: 'hearPayment',
    schema: 'PaymentNotification',
    zh: '支付通知',
    en: 'Payment notification',
    says: {
      zh: '订单已支付，或其款项已在支付渠道退回（code 为 REFUND）。网关向下单时的 notify_url 发送。请先验证平台的签名，再按订单号与 code 去重：同一通知可能到达多次。',
      en: 'An order was paid, or its payment was returned in the pages of the upstream (code REFUND). The gateway posts it to the notify_url of the order. Verify the signature of the platform first. The same notification may arrive more than once: tell repeats by number and code.',
    },
  },
  refund: {
    id: 'hearRefund',
    schema: 'RefundNotification',
    zh: '退款通知',
    en: 'Refund notification',
    says: {
      zh: '退款成功或失败。网关向退款时的 notify_url 发送。请先验证平台的签名，再按退款单号与 code 去重：同一通知可能到达多次。',
      en: 'A refund succeeded or failed. The gateway posts it to the notify_url of the refund. Verify the signature of the platform first. The same notification may arrive more than once: tell repeats by number and code.',
    },
  },
  sent_back: {
    id: 'hearSentBack',
    schema: 'SentBackNotification',
    zh: '款项退回通知',
    en: 'Notification of money that was sent back',
    says: {
      zh: '一笔付款订单没有保留，已全额退回付款人：订单关闭后才付（LATE）、重复付款（SECOND）或金额不符（WRONG_AMOUNT）。只发给开启了此通知的应用（默认关闭，官方 SDK 不认识它），发往订单的 notify_url。订单的状态不变。请先验证平台的签名，再按 reversal_no 去重。',
      en: 'A payment that the order did not keep is back with the payer, in full: it was paid after the close (LATE), twice (SECOND) or with another amount (WRONG_AMOUNT). Posted to the notify_url of the order, and only for apps in which this notification is switched on: it is off by default, because the official SDK does not know it. The order stays as it was. Verify the signature of the platform first, and tell repeats by reversal_no.',
    },
  },
}

const webhookOf = (kind: NotificationKind) => {
  const { id, schema, says, ...title } = WEBHOOKS[kind]
  return {
    post: {
      operationId: id,
      tags: tagged('notifications'),
      summary: titleOf(title),
      description: paragraphsOf(says),
      security: [],
      requestBody: {
        required: true,
        content: { 'application/json': { schema: refTo(schema), example: notificationExample(kind) } },
      },
      responses: {
        200: {
          description:
            'status 为 SUCCESS：已收到，不再通知。其他任何回答，或5秒内没有回答：稍后重发\n\nstatus SUCCESS: received, and not sent again. Any other answer, or none within 5 seconds: it is sent again later',
          content: { 'application/json': { schema: refTo('NotificationReply'), example: HEARD } },
        },
        '4XX': {
          description: '没有收到，请重发\n\nNot received: send it again',
        },
      },
    },
  }
}

const plain = (description: string) => ({
  description,
  content: { 'text/plain': { schema: { type: 'string' } } },
})

const components = () => ({
  securitySchemes: {
    signature: { type: 'apiKey', in: 'header', name: 'x-acopay-sign', description: SIGNATURE_TEXT },
  },
  parameters: headerParameters(),
  responses: {
    NotACall: plain(
      '不是对接口的调用：404 没有这个地址，405 不支持该方法，413 请求体超过 64 KiB\n\nNot a call: 404 for a wrong path, 405 for a wrong method, 413 for a body of more than 64 KiB',
    ),
    WrongLink: plain('链接错误\n\nA wrong link'),
  },
  schemas: { ...schemas(), ...CASHIER_SCHEMAS },
})

/** The document. `serverUrl` is the gateway's address; without it, the document's own host is meant. */
export function openApi(serverUrl: string): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const operation of OPERATIONS) {
    const path = BASE_PATH + operation.path
    paths[path] = { ...paths[path], [operation.method]: operationOf(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: '翼辉支付 · ACO Pay',
      version: '1.0.0',
      summary: '商户接口 · The API of merchants',
      description: aboutText(),
      contact: { name: '网关的运营者 · The operator of this gateway' },
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: serverUrl || '/', description: '本网关 · This gateway' }],
    tags: TAG_LIST,
    paths: { ...paths, ...cashierPaths() },
    webhooks: { payment: webhookOf('payment'), refund: webhookOf('refund'), sent_back: webhookOf('sent_back') },
    components: components(),
  }
}
