/**
 * Alipay's gateway as another author wrote it: requests are checked by `alipay-sdk`, and every answer and notification
 * in UTF-8 is shown to it as well. GBK, which it does not speak, is written by `iconv-lite`. Nothing of this repository
 * signs, checks or encodes here. Its answers are what docs/upstreams/alipay.md says.
 */
import { createSign } from 'node:crypto'
import { AlipaySdk } from 'alipay-sdk'
import iconv from 'iconv-lite'
import { pemKeys } from '../keys.ts'
import type { AlipayAuthority } from './alipay-certificates.ts'
import { type Asked, oracleServer } from './server.ts'

export const NOW = new Date('2026-01-31T00:00:00Z')
const APP_ID = '2021000000000001'
const SELLER_ID = '2088000000000001'

type Charset = 'utf-8' | 'GBK'

/** `body` is the content of the member `…_response`; a text is sent as it is. `sign`: whether it is signed; default yes. */
export type AlipaySays = {
  status?: number
  body: object | string
  sign?: boolean
  charset?: Charset
  headers?: Record<string, string>
  /** The name of the member; default: the method's. */
  member?: string
  /** A file, sent as it is. */
  file?: Buffer
  /** Certificate mode: what the answer calls the certificate that verifies it, and the key in it; default: the account's. */
  certificate?: { serial: string | null; privatePem: string }
}

/**
 * How a notification is signed. `keeps`: which empty values and names its signature covers. `leaves`: names that it does not
 * cover. `privatePem`: with another key than Alipay's.
 */
export type Telling = {
  charset?: Charset
  keeps?: 'all' | 'filled' | 'type'
  leaves?: string[]
  privatePem?: string
}

export type AlipayOracle = Awaited<ReturnType<typeof alipayOracle>>

/** What an account's settings have in either mode. */
type Credentials = { alipayPublicKey?: string; appCert?: string; alipayCert?: string; alipayRootCert?: string }

/** `certificates`: the account is one of certificate mode. */
export async function alipayOracle(certificates?: AlipayAuthority) {
  const { app, alipay } = certificates ?? { app: pemKeys('app', 512), alipay: pemKeys('alipay', 1024) }
  const complaints: string[] = []
  let says: (asked: Call) => AlipaySays = () => ({ body: { code: '20000', sub_code: 'isp.unknow-error' } })
  const common = { appId: APP_ID, privateKey: app.privatePem, keyType: 'PKCS8' as const }
  /** The merchant's SDK, which believes what Alipay's key signed. */
  const sdk = new AlipaySdk(
    certificates === undefined
      ? { ...common, alipayPublicKey: alipay.publicPem }
      : {
          ...common,
          appCertContent: certificates.appFile,
          alipayPublicCertContent: certificates.alipayFile,
          alipayRootCertContent: certificates.rootFile,
        },
  )
  const { appCertSn, alipayRootCertSn, alipayCertSn } = sdk.config
  /** The same code in Alipay's place: it checks what the app's key signed. */
  const gate = new AlipaySdk({ ...common, alipayPublicKey: app.publicPem })

  const credentials: Credentials =
    certificates === undefined
      ? { alipayPublicKey: alipay.publicPem }
      : {
          appCert: certificates.appFile,
          alipayCert: certificates.alipayFile,
          alipayRootCert: certificates.rootFile,
        }

  const signBytes = (bytes: Buffer, privatePem = alipay.privatePem): string =>
    createSign('RSA-SHA256').update(bytes).sign(privatePem, 'base64')
  const encode = (text: string, charset: Charset): Buffer => iconv.encode(text, charset)

  /** The signatures of answers by what they sign. The same content is answered to every verb: it is signed, and shown to the SDK, once. */
  const signatures = new Map<string, string>()
  function signatureOf(content: string, charset: Charset, privatePem: string): string {
    const key = `${privatePem}${charset}${content}`
    const known = signatures.get(key)
    if (known !== undefined) return known
    const made = signBytes(encode(content, charset), privatePem)
    signatures.set(key, made)
    if (charset === 'utf-8' && privatePem === alipay.privatePem)
      sdk.checkResponseSign(`{"answer":${content},"sign":"${made}"}`, 'answer', made, '')
    return made
  }

  function answerTo(call: Call): { status: number; headers: Record<string, string>; body: Buffer } {
    const said = says(call)
    const { status = 200, sign = true, charset = 'utf-8', headers = {}, file } = said
    const own = { serial: certificates === undefined ? null : alipayCertSn, privatePem: alipay.privatePem }
    const { serial, privatePem } = said.certificate ?? own
    if (file !== undefined) return { status, headers, body: file }
    if (typeof said.body === 'string') return { status, headers, body: Buffer.from(said.body) }
    const name = said.member ?? `${call.method.replaceAll('.', '_')}_response`
    const content = JSON.stringify(said.body)
    const signature = sign ? signatureOf(content, charset, privatePem) : null
    const named = serial === null ? '' : `,"alipay_cert_sn":"${serial}"`
    const text = signature !== null ? `{"${name}":${content}${named},"sign":"${signature}"}` : `{"${name}":${content}}`
    return {
      status,
      headers: { 'content-type': `text/html;charset=${charset}`, ...headers },
      body: encode(text, charset),
    }
  }

  const server = await oracleServer((asked) => {
    const url = new URL(asked.url, 'http://alipay')
    const params = Object.fromEntries([...url.searchParams, ...new URLSearchParams(asked.body)])
    const isCall = url.pathname.endsWith('/gateway.do')
    if (isCall && !gate.checkNotifySignV2(params)) complaints.push(`not signed: ${params.method}`)
    const namesCertificates = params.app_cert_sn === appCertSn && params.alipay_root_cert_sn === alipayRootCertSn
    if (isCall && !namesCertificates) complaints.push(`other certificates: ${params.method}`)
    const content = JSON.parse(params.biz_content ?? '{}') as Record<string, unknown>
    return answerTo({ ...asked, params, method: params.method ?? url.pathname, content })
  })

  /** A notification: a form in this charset, signed over the bytes in this charset. */
  function told(params: Record<string, string>, how: Telling = {}) {
    const { charset = 'utf-8', keeps = 'filled', leaves = [], privatePem = alipay.privatePem } = how
    const all: Record<string, string> = { ...params, charset, sign_type: 'RSA2' }
    const signed = Object.entries(all)
      .filter(([name, value]) => (keeps === 'type' || name !== 'sign_type') && (keeps === 'all' || value !== ''))
      .filter(([name]) => !leaves.includes(name))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join('&')
    const sign = signBytes(encode(signed, charset), privatePem)
    const isOwn = privatePem === alipay.privatePem && leaves.length === 0
    const isToSdksTaste = isOwn && (keeps === 'all' || !Object.values(params).includes(''))
    if (charset === 'utf-8' && isToSdksTaste && !sdk.checkNotifySignV2({ ...all, sign })) {
      throw new Error('alipay-sdk does not believe the notification')
    }
    const percent = (text: string): string =>
      [...encode(text, charset)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('')
    const body = Object.entries({ ...all, sign }).map(([name, value]) => `${name}=${percent(value)}`)
    return {
      headers: { 'content-type': `application/x-www-form-urlencoded; charset=${charset}` },
      body: Buffer.from(body.join('&'), 'latin1'),
    }
  }

  return {
    account: {
      gateway: `${server.url}/gateway.do`,
      appId: APP_ID,
      sellerId: SELLER_ID,
      appPrivateKey: app.privatePem,
      ...credentials,
    },
    door: { fetch, now: () => NOW, newNonce: () => 'n' },
    sdk,
    url: server.url,
    asked: server.asked,
    complaints,
    says: (next: AlipaySays | ((call: Call) => AlipaySays)) => {
      says = typeof next === 'function' ? next : () => next
    },
    told,
    stop: server.stop,
  }
}

/** A request, with its parameters and its `biz_content` read. */
export type Call = Asked & { params: Record<string, string>; method: string; content: Record<string, unknown> }
