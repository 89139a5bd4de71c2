/**
 * WeChat Pay as another author wrote it: every signature, ciphertext and header here is made or checked by
 * `wechatpay-axios-plugin`, and by nothing of this repository. Its answers are what docs/upstreams/wechat-pay.md says.
 */
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin'
import { pemKeys } from '../keys.ts'
import { type Asked, oracleServer } from './server.ts'

export const NOW = new Date('2026-01-31T00:00:00Z')
export const SERIAL = 'PUB_KEY_ID_0119000000012026010100'
const API_V3_KEY = '0123456789abcdef0123456789abcdef'
const MERCHANT_SERIAL = '7132D72A03E93CDDF8C03BBD1F37EEDF00000001'

/** `body`: an object is sent as JSON, a text or bytes as they are. `sign`: whether the answer is signed; default yes. */
export type WechatSays = {
  status?: number
  body?: object | string | Buffer
  sign?: boolean
  headers?: Record<string, string>
}

export type WechatOracle = Awaited<ReturnType<typeof wechatOracle>>

export async function wechatOracle() {
  const merchant = pemKeys('merchant', 512)
  const platform = pemKeys('platform', 512)
  const complaints: string[] = []
  let says: (asked: Asked) => WechatSays = () => ({ status: 500, body: { code: 'SYSTEM_ERROR' } })

  const signed = (body: string, serial = SERIAL, at = NOW): Record<string, string> => {
    const [timestamp, nonce] = [String(Math.floor(at.getTime() / 1000)), Formatter.nonce()]
    return {
      'wechatpay-serial': serial,
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': nonce,
      'wechatpay-signature': Rsa.sign(Formatter.response(timestamp, nonce, body), platform.privatePem),
    }
  }

  /** Checks the request as WeChat Pay does: the scheme, the merchant, the serial, and the signature over these bytes. */
  function check({ method, url, headers, body }: Asked): void {
    const [, scheme, fields = ''] = /^(\S+) (.*)$/.exec(headers.authorization ?? '') ?? []
    const field = (name: string): string => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(fields)?.[1] ?? ''
    const text = Formatter.request(method, url, field('timestamp'), field('nonce_str'), body)
    const isSigned = Rsa.verify(text, field('signature'), merchant.publicPem)
    const isWho = field('mchid') === '1900000001' && field('serial_no') === MERCHANT_SERIAL
    if (scheme !== 'WECHATPAY2-SHA256-RSA2048' || !isSigned || !isWho) complaints.push(`not signed: ${method} ${url}`)
  }

  const server = await oracleServer((asked) => {
    check(asked)
    const { status = 200, body = '', sign = true, headers = {} } = says(asked)
    const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
    const type = { 'content-type': 'application/json; charset=utf-8', 'request-id': '08F78BB0' }
    return { status, headers: { ...type, ...(sign ? signed(bytes.toString('utf8')) : {}), ...headers }, body: bytes }
  })

  return {
    account: {
      baseUrl: server.url,
      appId: 'wx8888888888888888',
      mchId: '1900000001',
      serialNo: MERCHANT_SERIAL,
      apiV3Key: API_V3_KEY,
      mchPrivateKey: merchant.privatePem,
      platformKeys: [{ id: SERIAL, publicKey: platform.publicPem }],
    },
    merchantPublicKey: merchant.publicPem,
    door: { fetch, now: () => NOW, newNonce: () => Formatter.nonce() },
    url: server.url,
    asked: server.asked,
    /** What was wrong with the requests so far. */
    complaints,
    says: (next: WechatSays | ((asked: Asked) => WechatSays)) => {
      says = typeof next === 'function' ? next : () => next
    },
    /** A notification with this content, encrypted and signed. */
    told: (event: string, content: object, at = NOW) => {
      const nonce = Formatter.nonce(12)
      const type = event.startsWith('REFUND') ? 'refund' : 'transaction'
      const body = JSON.stringify({
        id: 'EV-2018022511223320873',
        create_time: '2026-01-31T08:00:00+08:00',
        resource_type: 'encrypt-resource',
        event_type: event,
        summary: event,
        resource: {
          original_type: type,
          algorithm: 'AEAD_AES_256_GCM',
          ciphertext: Aes.AesGcm.encrypt(JSON.stringify(content), API_V3_KEY, nonce, type),
          associated_data: type,
          nonce,
        },
      })
      return { headers: signed(body, SERIAL, at), body: Buffer.from(body) }
    },
    stop: server.stop,
  }
}
