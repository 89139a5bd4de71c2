/** One call of the transactions API: signs and sends it, checks the answer, and tries again where that is safe. */
import { randomUUID } from 'node:crypto'
import {
  BASE_PATH,
  type Envelope,
  ERRORS,
  type JsonObject,
  requestText,
  responseText,
  SIGN_TYPE,
  signText,
  verifyText,
} from '@acopay/protocol'
import { ApiError, ConnectionError, SignatureError } from './errors.ts'
import { beginAttempt } from './hooks.ts'
import type { Settings } from './options.ts'
import { anyOf } from './signals.ts'

export type CallOptions = {
  /** Ends the call, also while it waits for the next try, with a ConnectionError. */
  signal?: AbortSignal
}

export type Request = {
  method: 'GET' | 'POST'
  path:
    | 'bill'
    | 'calls'
    | 'close'
    | 'close/evidence'
    | 'notifications'
    | 'notifications/resend'
    | 'notifications/tries'
    | 'orders'
    | 'refund'
    | 'refunds'
    | 'trade'
  params: Record<string, string>
}

/** A verified answer: texts by their names on the wire. */
export type AnswerData = Record<string, string | null>

const SDK_VERSION = 'ts-0.2.0'

const FIRST_PAUSE_MS = 200
const PAUSE_MS_MAX = 5000

export const newNonce = (): string => randomUUID().replaceAll('-', '')

/**
 * Sends the request until it is answered, at most `tries` times, each time with a new nonce and the same numbers. All
 * requests of this package may be repeated: their numbers make it harmless, and to send a notification twice is.
 */
export async function send(settings: Settings, request: Request, { signal }: CallOptions): Promise<AnswerData> {
  for (let tried = 1; ; tried += 1) {
    const nonce = newNonce()
    const end = beginAttempt(settings.hooks, request, { tried, nonce })
    try {
      const data = await sendOnce(settings, request, nonce, signal)
      end(null, null)
      return data
    } catch (error) {
      const retryInMs = tried >= settings.tries || signal?.aborted ? null : pauseAfter(error, tried)
      end(error, retryInMs)
      if (retryInMs === null) throw error
      await settings.sleep(retryInMs, signal)
    }
  }
}

/** How long to wait after this error; null where another try cannot help, or the gateway asks for more patience than a call has. */
function pauseAfter(error: unknown, tried: number): number | null {
  if (!(error instanceof ApiError || error instanceof ConnectionError) || !error.isRetryable) return null
  // Between 50 % and 100 % of 200 ms, 400 ms, 800 ms … 5 s: random, so that callers do not retry at the same moment.
  const longestMs = Math.min(FIRST_PAUSE_MS * 2 ** (tried - 1), PAUSE_MS_MAX)
  const ownMs = longestMs * (0.5 + Math.random() / 2)
  const { retryAfterMs } = error
  if (retryAfterMs === null) return ownMs
  return retryAfterMs > PAUSE_MS_MAX ? null : Math.min(retryAfterMs + ownMs, PAUSE_MS_MAX)
}

async function sendOnce(
  settings: Settings,
  request: Request,
  nonce: string,
  signal?: AbortSignal,
): Promise<AnswerData> {
  const { mchNo, privateKey, timeoutMs } = settings
  const { method, params } = request
  const text = requestText(params, { mchNo, nonce, signType: SIGN_TYPE })
  const headers: Record<string, string> = {
    'x-acopay-mch-no': mchNo,
    'x-acopay-nonce': nonce,
    'x-acopay-sign-type': SIGN_TYPE,
    'x-acopay-sign': await signText(text, privateKey),
    ...(method === 'POST' ? { 'content-type': 'application/json; charset=utf-8' } : {}),
  }
  // Neither is signed. With `aco_pay_sdk` the gateway adds the payment's channel to its answers.
  const sent = { ...params, aco_pay_sdk: SDK_VERSION, version: '1.0' }
  const url = new URL(`.${BASE_PATH}${request.path}`, settings.baseUrl)
  if (method === 'GET') url.search = new URLSearchParams(sent).toString()
  const timeout = AbortSignal.timeout(timeoutMs)
  const init: RequestInit = {
    method,
    headers,
    // Followed nowhere, and refused below like any answer but 200: Workers do not know `error`.
    redirect: 'manual',
    signal: signal === undefined ? timeout : anyOf([timeout, signal]),
    ...(method === 'POST' ? { body: JSON.stringify(sent) } : {}),
  }
  let response: Response
  let body: string
  try {
    // A plain call: where `fetch` is the global one, it must not be called as a method of something else.
    const { fetch } = settings
    response = await fetch(url, init)
    body = await response.text()
  } catch (cause) {
    throw new ConnectionError(unreachable(url, timeout, timeoutMs, signal), { cause, isRetryable: !signal?.aborted })
  }
  const retryAfterMs = waitOf(response.headers.get('retry-after'))
  return readAnswer(settings, { httpStatus: response.status, body, url, retryAfterMs })
}

function unreachable(url: URL, timeout: AbortSignal, timeoutMs: number, signal?: AbortSignal): string {
  if (signal?.aborted) return 'the call was aborted; whether it was carried out is unknown'
  const why = timeout.aborted ? `no answer within ${timeoutMs} ms` : 'no connection'
  return `${url.origin}: ${why}; whether the request was carried out is unknown, query the order`
}

/** Errors that the gateway does not sign, because the caller has not proved its identity. */
const UNSIGNED: ReadonlySet<number> = new Set(
  [ERRORS.PARAM_ERROR, ERRORS.SIGN_ERROR, ERRORS.MCH_NOT_EXIST, ERRORS.FREQUENCY_LIMIT, ERRORS.SYSTEM_ERROR].map(
    ({ status }) => status,
  ),
)

/** `Retry-After`: seconds, or a time. Null where there is none that can be read. */
function waitOf(text: string | null): number | null {
  if (text === null) return null
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(ms) ? null : Math.max(ms, 0)
}

type Received = { httpStatus: number; body: string; url: URL; retryAfterMs: number | null }

function readAnswer(settings: Settings, { httpStatus, body, url, retryAfterMs }: Received): AnswerData {
  if (httpStatus !== 200) {
    const hint = httpStatus === 404 ? ', is baseUrl right?' : ''
    const isRetryable = httpStatus >= 500 || httpStatus === 429
    throw new ConnectionError(`${url.origin} answered HTTP ${httpStatus}${hint}`, {
      httpStatus,
      isRetryable,
      retryAfterMs,
    })
  }
  const envelope = readEnvelope(body)
  if (envelope === null) {
    throw new ConnectionError(`${url.origin} answered something else than an envelope; is baseUrl right?`, {
      httpStatus,
      isRetryable: false,
    })
  }
  const { status, message: code, fieldErrors, data } = envelope
  const isSigned = typeof data?.sign === 'string'
  if (isSigned) check(settings, envelope)
  else if (!UNSIGNED.has(status)) throw new SignatureError(`the answer ${status} ${code} is not signed`)
  if (status !== 200) throw new ApiError({ status, code, fieldErrors, isSigned, retryAfterMs })
  return data as AnswerData
}

function check({ mchNo, platformKeys }: Settings, envelope: Envelope): void {
  const text = responseText(envelope)
  const { sign, sign_type: signType, mch_no: answeredFor } = envelope.data as AnswerData
  if (signType !== SIGN_TYPE || !platformKeys.some((key) => verifyText(text, sign as string, key))) {
    throw new SignatureError("the answer's signature does not verify with platformPublicKey")
  }
  if (answeredFor !== mchNo) throw new SignatureError('the answer is signed for another merchant')
}

/** Null when the text is not an envelope. */
function readEnvelope(body: string): Envelope | null {
  let value: Partial<Envelope> | null
  try {
    value = JSON.parse(body) as Partial<Envelope> | null
  } catch {
    return null
  }
  const { status, message, fieldErrors = null, data = null } = value ?? {}
  if (typeof status !== 'number' || typeof message !== 'string') return null
  if (fieldErrors !== null && typeof fieldErrors !== 'string') return null
  if (typeof data !== 'object' || Array.isArray(data)) return null
  const isFlat = Object.values((data ?? {}) as JsonObject).every(
    (member) => member === null || typeof member === 'string',
  )
  return isFlat ? { status, message, fieldErrors, data } : null
}
