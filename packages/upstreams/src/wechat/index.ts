/** WeChat Pay API v3 from its own side (pay.weixin.qq.com/doc/v3/merchant), quirks included. */
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { misbehaving } from '../misbehave.ts'
import type { StandIn, StandInWorld, UpstreamReply, UpstreamRequest } from '../stand-in.ts'
import { type Trade, tradesOf } from '../trades.ts'
import { billAnswer, billFile } from './bill.ts'
import { signIn } from './sign-in.ts'
import { type Answer, answerOf, refundData, refuse, VERBS } from './verbs.ts'

export type WechatStandInSettings = {
  mchId: string
  appId: string
  apiV3Key: string
  /** Base64 DER, like all keys here. */
  merchantPublicKey: string
  merchantSerial: string
  /** Of the merchant's official account. */
  appSecret: string
  platformPrivateKey: string
  /** What answers name as the key they are signed with. */
  platformSerial: string
}

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** 15 s, 15 s, 30 s, 3 min, 10 min, 20 min, 30 min × 3, 60 min, 3 h × 3, 6 h × 2: "支付成功回调通知". */
const PAUSES_MS = [
  ...[15 * SECOND, 15 * SECOND, 30 * SECOND, 3 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE],
  ...[30 * MINUTE, HOUR, 3 * HOUR, 3 * HOUR, 3 * HOUR, 6 * HOUR, 6 * HOUR],
]
const STALE_MS = 5 * MINUTE

export function makeWechatStandIn(settings: WechatStandInSettings, world: StandInWorld): StandIn {
  const platformKey = derKey(settings.platformPrivateKey, 'pkcs8')
  const merchantKey = derKey(settings.merchantPublicKey, 'spki')
  const timestamp = (): string => String(Math.floor(world.now().getTime() / 1000))

  const signatureHeaders = (body: string): Record<string, string> => {
    const [time, nonce] = [timestamp(), randomBytes(16).toString('hex')]
    return {
      'wechatpay-serial': settings.platformSerial,
      'wechatpay-timestamp': time,
      'wechatpay-nonce': nonce,
      'wechatpay-signature': sign('RSA-SHA256', Buffer.from(`${time}\n${nonce}\n${body}\n`), platformKey).toString(
        'base64',
      ),
    }
  }

  const trades = tradesOf(`wechat/${settings.mchId}`, world, {
    pausesMs: PAUSES_MS,
    isHeard: ({ status }) => status === 200 || status === 204,
    render(trade, { id, refund }) {
      const { event, summary, type, data } = toldOf(settings, trade, refund?.no, world.now().getTime())
      const body = JSON.stringify({
        id,
        create_time: world.now().toISOString(),
        resource_type: 'encrypt-resource',
        event_type: event,
        summary,
        resource: { original_type: type, ...seal(settings.apiV3Key, type, JSON.stringify(data)) },
      })
      return { headers: { 'content-type': 'application/json', ...signatureHeaders(body) }, body }
    },
  })

  function render({ status, data }: Answer, how: 'well' | 'unreadable' | 'bad_signature'): UpstreamReply {
    const text = data === null ? '' : JSON.stringify(data)
    const body = how === 'unreadable' ? '<html>busy</html>' : text
    const headers = signatureHeaders(how === 'bad_signature' ? `${body} ` : body)
    const requestId = randomBytes(12).toString('hex').toUpperCase()
    return { status, headers: { 'content-type': 'application/json', 'request-id': requestId, ...headers }, body }
  }

  /** Whether the merchant signed this request, and lately. */
  function isMerchants({ method, url, headers, body }: UpstreamRequest): boolean {
    const [scheme, rest = ''] = (headers.authorization ?? '').split(/ (.*)/)
    const part = (name: string): string => new RegExp(`${name}="([^"]*)"`).exec(rest)?.[1] ?? ''
    const time = part('timestamp')
    const message = `${[method, url, time, part('nonce_str'), body].join('\n')}\n`
    return (
      scheme === 'WECHATPAY2-SHA256-RSA2048' &&
      part('mchid') === settings.mchId &&
      part('serial_no') === settings.merchantSerial &&
      Math.abs(world.now().getTime() - Number(time) * 1000) <= STALE_MS &&
      verify('RSA-SHA256', Buffer.from(message), merchantKey, Buffer.from(part('signature'), 'base64'))
    )
  }

  return {
    control: trades.control,
    async handle(request) {
      const signedIn = await signIn(settings, world, request)
      if (signedIn !== null) return signedIn
      // What is signed is the whole path that the merchant called, which may lie below a mount of ours.
      if (!isMerchants(request)) return render(refuse(401, 'SIGN_ERROR'), 'well')
      const url = new URL(request.url, 'http://wechat')
      const path = url.pathname.slice(url.pathname.indexOf('/v3/'))
      if (path === '/v3/bill/file') return billFile(trades, url.searchParams.get('day') ?? '')
      if (path === '/v3/bill/tradebill') {
        const day = url.searchParams.get('bill_date') ?? ''
        const work = async (): Promise<Answer> =>
          billAnswer(await billFile(trades, day), mountOf(request, url), day, sha1)
        return misbehaving(world, { verb: 'bill', no: day }, work, render, refuse(500, 'SYSTEM_ERROR'))
      }
      for (const { method, pattern, verb, work } of VERBS) {
        const found = pattern.exec(path)
        if (found === null || method !== request.method) continue
        const body = request.body === '' ? {} : (JSON.parse(request.body) as Record<string, unknown>)
        const no =
          typeof body.transaction_id === 'string'
            ? ((await trades.tradeNoOf('payment', body.transaction_id)) ?? '')
            : decodeURIComponent(found.groups?.no ?? String(body.out_trade_no ?? ''))
        const call = { settings, trades, path, query: url.searchParams, body, no }
        return misbehaving(world, { verb, no }, (fault) => work(call, fault), render, refuse(500, 'SYSTEM_ERROR'))
      }
      return render(refuse(404, 'NOT_FOUND'), 'well')
    },
  }
}

/** What a notification says: of the trade, or of one of its refunds ("退款结果通知"). */
function toldOf(settings: WechatStandInSettings, trade: Trade, refundNo: string | undefined, nowMs: number) {
  const refund = trade.refunds.find(({ no }) => no === refundNo)
  if (refund === undefined) {
    const { data } = answerOf(settings, trade, nowMs)
    return { event: 'TRANSACTION.SUCCESS', summary: '支付成功', type: 'transaction', data }
  }
  const data = { mchid: settings.mchId, refund_status: 'SUCCESS', ...refundData(trade, refund, nowMs) }
  return { event: 'REFUND.SUCCESS', summary: '退款成功', type: 'refund', data }
}

/** The address at which the merchant reaches this stand-in. */
const mountOf = ({ headers }: UpstreamRequest, url: URL): string =>
  `http://${headers.host}${url.pathname.slice(0, url.pathname.indexOf('/v3/'))}`

const sha1 = (file: string | Buffer): string => createHash('sha1').update(file).digest('hex')

const derKey = (text: string, type: 'pkcs8' | 'spki'): KeyObject => {
  const key = Buffer.from(text, 'base64')
  return type === 'pkcs8'
    ? createPrivateKey({ key, format: 'der', type })
    : createPublicKey({ key, format: 'der', type })
}

function seal(apiV3Key: string, associatedData: string, plain: string) {
  const nonce = randomBytes(6).toString('hex')
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(apiV3Key), Buffer.from(nonce))
  cipher.setAAD(Buffer.from(associatedData))
  const ciphertext = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
    'base64',
  )
  return { algorithm: 'AEAD_AES_256_GCM', ciphertext, associated_data: associatedData, nonce }
}
