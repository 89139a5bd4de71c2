/** A merchant who calls a gateway over real HTTP and checks every answer, and the payer of its orders. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  type Envelope,
  type JsonObject,
  privateKeyFrom,
  publicKeyFrom,
  requestText,
  responseText,
  signText,
  verifyText,
} from '@acopay/protocol'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'

export type Answer = {
  httpStatus: number
  status: number
  message: string
  fieldErrors: string | null
  data: Record<string, string | null>
  /** Whether the platform signed it; a signature that does not verify throws. */
  isSigned: boolean
}

export type Request = {
  method: 'GET' | 'POST'
  path:
    | 'close'
    | 'bill'
    | 'calls'
    | 'close/evidence'
    | 'trade'
    | 'refund'
    | 'orders'
    | 'refunds'
    | 'notifications'
    | 'notifications/tries'
    | 'notifications/resend'
  params: JsonObject
  /** Changes to the finished request: headers to replace (null removes one), a body to send instead. */
  headers?: Record<string, string | null>
  body?: string | Uint8Array
  nonce?: string
}

const privateKeys = new Map<string, ReturnType<typeof privateKeyFrom>>()

/** What goes over the wire for a request, signed. */
export async function signedRequest(demo: DemoSettings, request: Request) {
  const nonce = request.nonce ?? randomUUID().replaceAll('-', '')
  const key = privateKeys.get(demo.mchPrivateKey) ?? privateKeyFrom(demo.mchPrivateKey)
  privateKeys.set(demo.mchPrivateKey, key)
  const text = requestText(request.params, { mchNo: demo.mchNo, nonce, signType: 'SHA256withRSA' })
  const headers: Record<string, string> = {
    'x-acopay-mch-no': demo.mchNo,
    'x-acopay-nonce': nonce,
    'x-acopay-sign-type': 'SHA256withRSA',
    'x-acopay-sign': await signText(text, key),
  }
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    if (value === null) delete headers[name]
    else headers[name] = value
  }
  const url = new URL(`/pay/v1/transactions/${request.path}`, demo.baseUrl)
  if (request.method === 'GET') {
    for (const [name, value] of Object.entries(request.params)) url.searchParams.set(name, String(value))
    return { url, method: request.method, headers }
  }
  headers['content-type'] = 'application/json'
  return { url, method: request.method, headers, body: request.body ?? JSON.stringify(request.params) }
}

/** Sends a signed request and checks the answer's signature. */
export async function call(demo: DemoSettings, request: Request): Promise<Answer> {
  const { url, ...init } = await signedRequest(demo, request)
  return readAnswer(demo, await fetch(url, init))
}

export async function readAnswer(demo: DemoSettings, response: Response): Promise<Answer> {
  const text = await response.text()
  if (response.status !== 200) {
    return { httpStatus: response.status, status: 0, message: text, fieldErrors: null, data: {}, isSigned: false }
  }
  const envelope = JSON.parse(text) as Envelope
  const sign = envelope.data?.sign
  const isSigned = typeof sign === 'string'
  if (isSigned && !verifyText(responseText(envelope), sign, publicKeyFrom(demo.platformPublicKey))) {
    throw new Error(`the answer's signature does not verify: ${text}`)
  }
  const { status, message, fieldErrors } = envelope
  return { httpStatus: 200, status, message, fieldErrors, data: (envelope.data ?? {}) as Answer['data'], isSigned }
}

export const newTradeNo = (): string => `mp${randomBytes(15).toString('hex')}`

export const orderParams = (demo: DemoSettings, more: JsonObject = {}): JsonObject => ({
  app_no: demo.appNo,
  mch_trade_no: newTradeNo(),
  description: '测试订单',
  amount_total: '12.50',
  amount_currency: 'CNY',
  ...more,
})

/** Places an order and returns its platform number. */
export async function place(demo: DemoSettings, more: JsonObject = {}): Promise<string> {
  const answer = await call(demo, { method: 'POST', path: 'trade', params: orderParams(demo, more) })
  if (answer.data.code !== 'SUCCESS') throw new Error(JSON.stringify(answer))
  return answer.data.transaction_no ?? ''
}

export const close = (demo: DemoSettings, transaction_no: string): Promise<Answer> =>
  call(demo, { method: 'POST', path: 'close', params: { transaction_no } })

export const query = (demo: DemoSettings, transaction_no: string): Promise<Answer> =>
  call(demo, { method: 'GET', path: 'trade', params: { transaction_no } })

/** A payer opens a payment in the sandbox; returns the attempt's number, or null where that is refused. */
export async function openAttempt(
  demo: DemoSettings,
  transactionNo: string,
  channel: 'wechat' | 'alipay' = 'wechat',
): Promise<string | null> {
  const url = `${demo.baseUrl}/sandbox/${demo.mchNo}/orders/${transactionNo}/attempts?channel=${channel}`
  const response = await fetch(url, { method: 'POST' })
  const { attempt_no } = (await response.json()) as { attempt_no?: string }
  return response.ok ? (attempt_no ?? null) : null
}

/** The payer pays an open attempt; false where the upstream refuses. */
export async function pay(
  demo: DemoSettings,
  transactionNo: string,
  attemptNo: string,
  what: 'pay' | 'pay-anyway' | 'scan' | 'expire' | 'give-back' = 'pay',
): Promise<boolean> {
  const url = `${demo.baseUrl}/sandbox/${demo.mchNo}/orders/${transactionNo}/attempts/${attemptNo}/${what}`
  const response = await fetch(url, { method: 'POST' })
  await response.text()
  return response.ok
}
