/** The examples of the OpenAPI document: each fits its schema, and each signature in them is one. */
import '../../../../test/support/slow.ts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { describe, expect, it } from 'vitest'
import { type Envelope, type JsonObject, notificationText, requestText, responseText } from '../canonical.ts'
import type { ErrorName } from '../errors.ts'
import { OPERATIONS, openApi } from '../openapi.ts'
import { publicKeyFrom, verifyText } from '../sign.ts'
import { CALLS, COMMON_REFUSALS } from './calls.ts'
import { RECORDED } from './recorded.ts'

// biome-ignore lint/suspicious/noExplicitAny: a document of JSON, walked by name
type Json = any
const document = openApi('https://pay.example.com') as Json

/** The gateway sends nothing that its schemas do not list (spec/protocol.md 1, rule 3), so nothing else fits here. */
function closed(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(closed)
  if (typeof schema !== 'object' || schema === null) return schema
  const inner = Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, closed(value)]))
  return 'properties' in schema && typeof schema.type !== 'undefined'
    ? { ...inner, additionalProperties: false }
    : inner
}

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true })
// The default export of a CommonJS module.
;(addFormats as unknown as (one: Ajv2020) => void)(ajv)
const byName = (schema: Json): Json => JSON.parse(JSON.stringify(schema).replaceAll('"#/components/schemas/', '"'))
for (const [name, schema] of Object.entries<Json>(document.components.schemas))
  ajv.addSchema(byName(closed(schema)), name)

/** What is wrong with a value, and with the rows that its texts contain; empty when nothing is. */
function wrong(schema: Json, value: unknown): string[] {
  const validate = ajv.compile(byName(schema))
  return validate(value) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`)
}

/** Every place of the document that has examples, with its schema. */
function places(node: Json, where = ''): [string, Json, unknown[]][] {
  if (typeof node !== 'object' || node === null) return []
  const examples = [
    ...(node.example === undefined ? [] : [node.example]),
    ...Object.values<Json>(node.examples ?? {}).map(({ value }) => value),
  ]
  const own: [string, Json, unknown[]][] =
    node.schema !== undefined && examples.length > 0 ? [[where, node.schema, examples]] : []
  return [...own, ...Object.entries(node).flatMap(([name, one]) => places(one, `${where}/${name}`))]
}

describe('every example', () => {
  it.each(places(document))('%s fits its schema', (_where, schema, examples) => {
    for (const example of examples) expect(wrong(schema, example)).toEqual([])
  })

  it('would not fit with a member too many, or one of another type', () => {
    const { schema, examples } =
      document.paths['/pay/v1/transactions/close'].post.responses[200].content['application/json']
    const { value } = examples.success
    expect(wrong(schema, { ...value, data: { ...value.data, more: 'x' } })).not.toEqual([])
    expect(wrong(schema, { ...value, status: '200' })).not.toEqual([])
  })

  it('of a list has rows that fit the schema of its rows', () => {
    const { schemas } = document.components
    const lists: [string, string, string][] = [
      ['get orders', 'orders', 'ListedOrder'],
      ['get refunds', 'refunds', 'ListedRefund'],
      ['get notifications', 'notifications', 'ListedNotification'],
      ['get notifications/tries', 'tries', 'NotificationTry'],
      ['get calls', 'calls', 'LoggedCall'],
      ['get close/evidence', 'upstream_answers', 'UpstreamAnswer'],
    ]
    for (const [call, field, row] of lists) {
      const found = RECORDED.calls.find((one) => one.call === call && one.answer.status === 200)
      const rows = JSON.parse(String(found?.answer.data?.[field])) as unknown[]
      expect([call, rows.length > 0]).toEqual([call, true])
      expect(schemas[row]).toBeDefined()
      for (const one of rows) expect(wrong({ $ref: `#/components/schemas/${row}` }, one)).toEqual([])
    }
  })
})

describe('what was recorded', () => {
  const merchantKey = publicKeyFrom(RECORDED.merchantPublicKey)
  const platformKey = publicKeyFrom(RECORDED.platformPublicKey)

  it('has for every call a success and a refusal that the call is said to have', () => {
    for (const { name } of OPERATIONS) {
      const answers = RECORDED.calls.filter(({ call }) => call === name).map(({ answer }) => answer)
      const refusals = answers.flatMap(({ status, message }) => (status === 200 ? [] : [message]))
      expect([name, answers.some(({ status }) => status === 200), refusals.length > 0]).toEqual([name, true, true])
      const listed: readonly ErrorName[] = [...CALLS[name].refusals, ...COMMON_REFUSALS]
      expect(refusals.filter((error) => !listed.includes(error as ErrorName))).toEqual([])
    }
  })

  it('shows an order that was paid and one that was closed', () => {
    const codes = (call: string) =>
      RECORDED.calls.flatMap((one) => (one.call === call && one.answer.data?.code ? [one.answer.data.code] : []))
    expect(codes('get trade')).toEqual(['NOTPAY', 'SUCCESS'])
    expect(codes('post close')).toEqual(['SUCCESS', 'FAIL'])
    expect(codes('get bill')).toEqual(['SUCCESS', 'NO_BILL'])
  })

  it.each(RECORDED.calls.map((one) => [one.call, one.name, one] as const))(
    '%s (%s) was signed by the merchant, and answered with the signature of the platform',
    (_call, _name, { params, headers, answer }) => {
      const parts = {
        mchNo: headers['x-acopay-mch-no'],
        nonce: headers['x-acopay-nonce'],
        signType: headers['x-acopay-sign-type'],
      }
      const isSigned = verifyText(requestText(params, parts), headers['x-acopay-sign'], merchantKey)
      expect(isSigned).toBe(answer.message !== 'SIGN_ERROR')
      const { data } = answer as Envelope
      if (data === null) expect(answer.message).toBe('SIGN_ERROR')
      else expect(verifyText(responseText(answer), String(data.sign), platformKey)).toBe(true)
    },
  )

  it.each(['payment', 'refund', 'sent_back'] as const)(
    'has the notification of a %s, signed by the platform',
    (kind) => {
      const body: JsonObject = RECORDED.notifications[kind]
      expect(verifyText(notificationText(body), String(body.sign), platformKey)).toBe(true)
    },
  )
})
