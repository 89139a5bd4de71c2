/**
 * One exchange with Alipay's OpenAPI gateway, V2 with RSA2: the gateway signs each request and accepts only answers
 * that Alipay signed (opendocs.alipay.com, "自行实现签名", "自行实现验签"). Alipay's signature covers the bytes of the answer's
 * member `…_response`, in whichever charset Alipay writes.
 */
import { type KeyObject, verify } from 'node:crypto'
import { parseJson, restMsOf, Unbelieved, wordOf } from '../contract.ts'
import { privateKeyOf } from '../keys.ts'
import { type SignBytes, signBytes } from '../signing.ts'
import type { AlipayAccount } from './account.ts'
import { type AlipayKeys, keysOfCertificates, type NamedIn, oneKey } from './alipay-keys.ts'
import { CERTIFICATE, charsetIn, type Form, readAnswer, signedForms } from './bytes.ts'
import { type Certificates, isCertificateMode, readCertificates } from './certificates.ts'

export type AlipayDoor = { fetch: typeof fetch; now: () => Date; sign?: SignBytes }

/** A `code` of 10000 means success; with any other, `subCode` names the error. */
export type AlipayAnswer = {
  code: string
  subCode: string
  data: Record<string, unknown>
  requestId: string | undefined
  /** Set when Alipay asks for fewer requests. */
  restMs: number | undefined
}

export type AlipayClient = {
  /** Makes one request; null: all that it says is in `more`. Throws when no answer comes whose signature is Alipay's. */
  call: (
    method: string,
    bizContent: object | null,
    signal: AbortSignal,
    more?: Record<string, string>,
  ) => Promise<AlipayAnswer>
  /** The signed address of a page, which the payer's browser opens. */
  pageUrl: (method: string, bizContent: object, more: Record<string, string>) => Promise<string>
  /** The signed order that an app hands to Alipay's app on the payer's telephone. */
  orderText: (method: string, bizContent: object, more: Record<string, string>) => Promise<string>
  /** Whether Alipay signed the parameters of this form. */
  isTheirs: (form: Form) => Promise<boolean>
}

/** What each verb of the channel is given. */
export type AlipayContext = { account: AlipayAccount; door: AlipayDoor; client: AlipayClient }

const CHINA_MS = 8 * 3_600_000

/** `yyyy-MM-dd HH:mm:ss` in UTC+8: Alipay writes every time like this. */
export const alipayTime = (time: Date): string =>
  new Date(time.getTime() + CHINA_MS).toISOString().slice(0, 19).replace('T', ' ')

/** The rate words of the gateway (its code is 40005) and of bills. */
const RATE_CODE = '40005'
const RATE_WORDS = new Set(['SYSTEM_RATE_LIMIT', 'USER_RATE_LIMIT'])

export const readAlipayTime = (text: unknown): Date => new Date(`${String(text).replace(' ', 'T')}+08:00`)

/** Sends signed parameters to Alipay's gateway. */
const post = ({ gateway }: AlipayAccount, { fetch }: AlipayDoor, params: URLSearchParams, signal: AbortSignal) =>
  fetch(gateway, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=utf-8' },
    body: params.toString(),
    redirect: 'error',
    signal,
  })

type SignParams = (method: string, bizContent: object | null, more?: Record<string, string>) => Promise<URLSearchParams>

/** Signs the parameters of a request. Those in `common` are in every request. */
function paramsSigner(
  { appId }: AlipayAccount,
  privateKey: KeyObject,
  common: Record<string, string>,
  { now, sign = signBytes }: AlipayDoor,
): SignParams {
  return async (method, bizContent, more = {}) => {
    const params: Record<string, string> = {
      app_id: appId,
      method,
      format: 'JSON',
      charset: 'utf-8',
      sign_type: 'RSA2',
      timestamp: alipayTime(now()),
      version: '1.0',
      ...common,
      ...more,
      ...(bizContent === null ? {} : { biz_content: JSON.stringify(bizContent) }),
    }
    const text = Buffer.from(textOf(Object.entries(params)))
    return new URLSearchParams({ ...params, sign: (await sign(text, privateKey)).toString('base64') })
  }
}

/** What every request of the account carries. */
function commonParams({ appAuthToken = '' }: AlipayAccount, certificates: Certificates | null): Record<string, string> {
  return {
    ...(certificates === null
      ? {}
      : { app_cert_sn: certificates.appSerial, alipay_root_cert_sn: certificates.rootSerial }),
    // "应用授权令牌": the app acts for the merchant who authorized it.
    ...(appAuthToken === '' ? {} : { app_auth_token: appAuthToken }),
  }
}

export function alipayClient(account: AlipayAccount, door: AlipayDoor): AlipayClient {
  const privateKey = privateKeyOf(account.appPrivateKey)
  const certificates = isCertificateMode(account) ? readCertificates(account, privateKey) : null
  const signedParams = paramsSigner(account, privateKey, commonParams(account, certificates), door)
  const keys: AlipayKeys =
    certificates === null
      ? oneKey(account)
      : keysOfCertificates(certificates, door.now, (serial, signal) =>
          certificateFile(serial, async (method, body) =>
            post(account, door, await signedParams(method, body), signal),
          ),
        )

  return {
    async call(method, bizContent, signal, more = {}) {
      const response = await post(account, door, await signedParams(method, bizContent, more), signal)
      const bytes = Buffer.from(await response.arrayBuffer())
      const restMs = restMsOf(response, door.now(), false)
      const rest = restMs === undefined ? {} : { restMs }
      if (response.status !== 200) throw new Unbelieved(`HTTP ${response.status}`, rest)
      const name = memberOf(method)
      const charset = charsetIn(response.headers.get('content-type'))
      // A method without content refuses in a member of its own; of the others it would say nothing of a trade.
      const isRefused = bizContent === null && !bytes.includes(`"${name}"`)
      const { signature, certificate, member, text } = readAnswer(bytes, isRefused ? 'error_response' : name, charset)
      const data = JSON.parse(text) as Record<string, unknown>
      const [code, subCode] = [String(data.code ?? ''), String(data.sub_code ?? '')]
      const isTheirs = await isSigned(keys, [member], { signature, certificate, namedIn: 'answer' })
      if (!isTheirs) throw unbelieved(name, { signature, code, subCode }, rest)
      const isRateWord = code === RATE_CODE || RATE_WORDS.has(subCode)
      const requestId = response.headers.get('trace_id') ?? response.headers.get('trace-id') ?? undefined
      return { code, subCode, data, requestId, restMs: restMsOf(response, door.now(), isRateWord) }
    },
    pageUrl: async (method, bizContent, more) => `${account.gateway}?${await signedParams(method, bizContent, more)}`,
    orderText: async (method, bizContent, more) =>
      [...(await signedParams(method, bizContent, more))]
        .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
        .join('&'),
    async isTheirs(form) {
      if (form.get('sign_type')?.toString('latin1') !== 'RSA2') return false
      const [signature, certificate] = [form.get('sign')?.toString('latin1'), form.get(CERTIFICATE)?.toString('latin1')]
      return isSigned(keys, signedForms(form), { signature, certificate, namedIn: 'webhook' })
    },
  }
}

/** The name of an answer's content. */
const memberOf = (method: string): string => `${method.replaceAll('.', '_')}_response`

type Signed = { signature: unknown; certificate: unknown; namedIn: NamedIn }

/**
 * Whether Alipay signed one of the texts. Strict: Node decodes several Base64 texts to the same bytes; only the canonical one is
 * accepted.
 */
async function isSigned(keys: AlipayKeys, texts: Buffer[], { signature, certificate, namedIn }: Signed) {
  const bytes = Buffer.from(typeof signature === 'string' ? signature : '', 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== signature) return false
  const serial = typeof certificate === 'string' && certificate !== '' ? certificate : null
  const found = await keys.keysFor(serial, namedIn)
  return found.some((key) => texts.some((text) => verify('RSA-SHA256', text, key, bytes)))
}

/** The file of a certificate, in Base64. Throws when Alipay does not give it. */
async function certificateFile(
  serial: string,
  ask: (method: string, body: object) => Promise<Response>,
): Promise<string> {
  const method = 'alipay.open.app.alipaycert.download'
  const response = await ask(method, { alipay_cert_sn: serial })
  const { [memberOf(method)]: answer } = parseJson(await response.text()) as Record<string, Record<string, unknown>>
  if (typeof answer?.alipay_cert_content !== 'string') throw new Error('no certificate in the answer')
  return answer.alipay_cert_content
}

/**
 * Alipay signs no answer to a request that it does not accept as this app's ("isv.invalid-app-id" comes without `sign`): the
 * account's settings are wrong. An answer with a wrong signature is forged, or the settings' key is not Alipay's.
 */
function unbelieved(
  name: string,
  { signature, code, subCode }: { signature: unknown; code: string; subCode: string },
  rest: { restMs?: number },
): Unbelieved {
  if (signature !== undefined) return new Unbelieved(`${name} with a wrong signature`, rest)
  const word = isComplaint(code) ? wordOf(subCode) : null
  if (word === null) return new Unbelieved(`${name} without a signature`, rest)
  return new Unbelieved(`${code} ${word}, without a signature`, { ...rest, complaint: word })
}

/** "授权权限不足", "缺少必选参数", "非法的参数", "条件异常", "权限不足": about the request as such, not about a trade. */
export const isComplaint = (code: string): boolean => ['20001', '40001', '40002', '40003', '40006'].includes(code)

/** `a=1&b=2`, sorted by name, empty values left out, nothing encoded. */
const textOf = (params: [string, string][]): string =>
  params
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
