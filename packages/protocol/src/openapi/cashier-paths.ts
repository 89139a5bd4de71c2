/** The calls of the payer's page in the OpenAPI document. They are unsigned. */
import { text, textOrNull, time } from '../answer-fields.ts'
import { PAYER_VIEW, WAY } from '../cashier.ts'
import { paragraphsOf, titleOf } from './calls.ts'
import { cashierExamples, cashierRequests, linkExample } from './examples.ts'
import { refTo, rowSchema, type Schema } from './schemas.ts'
import { tagged } from './tags.ts'

const LINK = '/cashier/{mch_no}/{transaction_no}/{proof}'

/** By HTTP status, what the call that opens a way to pay may be refused with. */
const ATTEMPT_REFUSALS: Record<number, { errors: string[]; says: string }> = {
  400: { errors: ['FIELD_INVALID'], says: '请求有误\n\nThe request is wrong.' },
  401: { errors: ['PAYER_UNKNOWN'], says: '需先由钱包确认付款人\n\nThe wallet has to say who pays.' },
  404: {
    errors: ['UNAVAILABLE'],
    says: '商户没有此付款方式；链接错误时是纯文本\n\nThe merchant has no such way to pay. For a wrong link the answer is plain text.',
  },
  409: { errors: [], says: '订单不能再付款\n\nThe order cannot be paid any more.' },
  429: {
    errors: ['TOO_MANY_ATTEMPTS', 'FREQUENCY_LIMIT'],
    says: '次数过多\n\nToo many attempts, or too many requests.',
  },
  502: {
    errors: ['UPSTREAM_REFUSED'],
    says: '上游拒绝，请换一种付款方式\n\nThe upstream said no; another way may work.',
  },
}

const json = (schema: Schema, examples: object) => ({
  'application/json': { schema, ...(Object.keys(examples).length === 0 ? {} : { examples }) },
})

const REFUSED: Schema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: { type: 'string', description: '错误名\n\nThe name of the error' },
    field: {
      type: 'string',
      description: '哪个成员有误，仅 FIELD_INVALID\n\nThe member that is wrong: FIELD_INVALID only',
    },
  },
}

export const CASHIER_SCHEMAS: Record<string, Schema> = {
  PayerView: rowSchema({ ...PAYER_VIEW, now: time }),
  OpenedWay: rowSchema(WAY),
  ChosenWay: {
    ...rowSchema({ channel: text, method: text, payer: textOrNull }),
    required: ['channel', 'method'],
  },
  CashierRefusal: REFUSED,
}

const LINK_TEXTS = {
  mch_no: '商户号\n\nThe merchant number',
  transaction_no: "平台订单号\n\nThe platform's number of the order",
  proof: '链接的凭证，在 cashier_url 里\n\nThe proof of the link, a part of cashier_url',
}

const link = Object.entries(LINK_TEXTS).map(([name, description], place) => ({
  name,
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description,
  ...linkExample(place),
}))

const refusal = (httpStatus: number, says: string) => ({
  description: says,
  content: json(refTo('CashierRefusal'), cashierExamples('attempts', httpStatus)),
})

const stateCall = () => ({
  operationId: 'readCashierState',
  tags: tagged('cashier'),
  summary: titleOf({ zh: '收银台：订单状态', en: 'The order as its payer sees it' }),
  description: paragraphsOf({
    zh: '付款人看到的订单。金额单位为元，时间为 UTC。',
    en: 'The order as its payer sees it. Amounts are in yuan, times in UTC.',
  }),
  security: [],
  responses: {
    200: { description: '订单\n\nThe order', content: json(refTo('PayerView'), cashierExamples('state', 200)) },
    404: { $ref: '#/components/responses/WrongLink' },
  },
})

const attemptsCall = () => ({
  operationId: 'openCashierAttempt',
  tags: tagged('cashier'),
  summary: titleOf({ zh: '收银台：打开付款方式', en: 'Open a way to pay' }),
  description: paragraphsOf({
    zh: '付款人选择付款渠道与方式，得到二维码内容、付款页地址或钱包参数。',
    en: 'The payer chooses a channel and a method, and gets what to show: the contents of a QR code, the address of a page, or the parameters of a wallet.',
  }),
  security: [],
  requestBody: { required: true, content: json(refTo('ChosenWay'), cashierRequests()) },
  responses: {
    200: {
      description: '付款方式\n\nThe way to pay',
      content: json(refTo('OpenedWay'), cashierExamples('attempts', 200)),
    },
    ...Object.fromEntries(
      Object.entries(ATTEMPT_REFUSALS).map(([status, { errors, says }]) => {
        const names = errors.length === 0 ? '' : `${errors.join(', ')}: `
        return [status, refusal(Number(status), names + says)]
      }),
    ),
  },
})

export const cashierPaths = (): Record<string, object> => ({
  [`${LINK}/state`]: { parameters: link, get: stateCall() },
  [`${LINK}/attempts`]: { parameters: link, post: attemptsCall() },
})
