/**
 * A simulator of WeChat Pay API v3 (pay.weixin.qq.com/doc/v3/merchant), quirks included.
 * What is known of it, with sources: docs/upstreams/wechat-pay.md.
 */
import { randomBytes } from 'node:crypto'
import { type How, misbehaving, ofAnother } from '../misbehave.ts'
import type { StandIn, UpstreamReply, UpstreamRequest } from '../stand-in.ts'
import type { StandInWorld } from '../stand-in-world.ts'
import type { Notice } from '../trade.ts'
import { type Trades, tradesOf } from '../trades.ts'
import { billFile } from './bill.ts'
import { certificates } from './certificates.ts'
import { notificationOf } from './notification.ts'
import type { WechatStandInSettings } from './settings.ts'
import { signIn } from './sign-in.ts'
import { seal, type WechatSigner, wechatSigner } from './signature.ts'
import { type Answer, type Call, findVerb, refuse, statusOf } from './verbs.ts'

export type { WechatStandInSettings } from './settings.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
/** "支付成功回调通知". */
const PAUSES_MS = [
  15 * SECOND,
  15 * SECOND,
  30 * SECOND,
  3 * MINUTE,
  10 * MINUTE,
  20 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  30 * MINUTE,
  1 * HOUR,
  3 * HOUR,
  3 * HOUR,
  3 * HOUR,
  6 * HOUR,
  6 * HOUR,
]

export function makeWechatStandIn(settings: WechatStandInSettings, world: StandInWorld): StandIn {
  const signer = wechatSigner(settings, () => world.now())
  const render = renderer(signer)
  const trades = tradesOf(`wechat/${settings.mchId}`, world, {
    pausesMs: PAUSES_MS,
    // What was a probe is sent again, rightly signed, whatever was answered.
    isHeard: ({ status }, notice) => !isProbe(notice) && (status === 200 || status === 204),
    render(trade, notice) {
      const { id, refund } = notice
      const { event, summary, type, data } = notificationOf(settings, trade, refund?.no, world.now().getTime())
      const body = JSON.stringify({
        id,
        create_time: world.now().toISOString(),
        resource_type: 'encrypt-resource',
        event_type: event,
        summary,
        resource: { original_type: type, ...seal(settings.apiV3Key, type, JSON.stringify(data)) },
      })
      const signed = signer.signatureHeaders(body)
      const headers = isProbe(notice) ? probed(signed) : signed
      return { headers: { 'content-type': 'application/json', ...headers }, body }
    },
  })

  return {
    control: trades.control,
    async handle(request) {
      const signedIn = await signIn(settings, world, request)
      if (signedIn !== null) return signedIn
      if (!signer.isMerchants(request)) return render(refuse(401, 'SIGN_ERROR'), 'unsigned')
      const url = new URL(request.url, 'http://wechat')
      // The simulator may be mounted below a path of the gateway's server: WeChat Pay's own paths begin at `/v3/`.
      const path = url.pathname.slice(url.pathname.indexOf('/v3/'))
      if (path === '/v3/certificates') return render(certificates(settings), 'well')
      if (path === '/v3/bill/file') return billFile(settings, trades, url.searchParams.get('day') ?? '')
      const found = findVerb(request.method, path)
      if (found === null) return render(refuse(404, 'NOT_FOUND'), 'well')
      const { verb, work, no } = found
      const call = await callOf({ settings, trades, request, url, path, noInPath: no })
      return misbehaving(
        world,
        { verb, no: call.no },
        {
          work: (fault) => work(call, fault),
          render,
          failure: (word = 'SYSTEM_ERROR') => refuse(statusOf(word), word),
        },
      )
    },
  }
}

/** "签名探测流量": rarely, and on purpose. */
const isProbe = ({ isProbe, sent }: Notice): boolean => isProbe === true && sent === 1

const probed = (headers: Record<string, string>): Record<string, string> => ({
  ...headers,
  'wechatpay-signature': `WECHATPAY/SIGNTEST/${headers['wechatpay-signature']}`,
})

type Received = {
  settings: WechatStandInSettings
  trades: Trades
  request: UpstreamRequest
  url: URL
  path: string
  noInPath: string | undefined
}

async function callOf({ settings, trades, request, url, path, noInPath }: Received): Promise<Call> {
  const query = url.searchParams
  const body = request.body === '' ? {} : (JSON.parse(request.body) as Record<string, unknown>)
  const no =
    typeof body.transaction_id === 'string'
      ? ((await trades.tradeNoOf('payment', body.transaction_id)) ?? '')
      : await tradeNoOf(trades, path, noInPath ?? String(body.out_trade_no ?? query.get('bill_date') ?? ''))
  return { settings, trades, path, query, body, no, mount: mountOf(request, url) }
}

/** The merchant's number of the trade; one of WeChat Pay's own numbers, in a path with `/id/`, leads to it. */
async function tradeNoOf(trades: Trades, path: string, encoded: string): Promise<string> {
  const no = decodeURIComponent(encoded)
  return path.includes('/transactions/id/') ? ((await trades.tradeNoOf('payment', no)) ?? '') : no
}

const renderer =
  ({ signatureHeaders }: WechatSigner) =>
  ({ status, data }: Answer, how: How): UpstreamReply => {
    const text = data === null ? '' : JSON.stringify(how === 'other_number' ? ofAnother(data) : data)
    const body = how === 'unreadable' ? '<html>busy</html>' : text
    // "验签失败的应答不带签名".
    const headers = how === 'unsigned' ? {} : signatureHeaders(how === 'bad_signature' ? `${body} ` : body)
    const requestId = randomBytes(12).toString('hex').toUpperCase()
    return { status, headers: { 'content-type': 'application/json', 'request-id': requestId, ...headers }, body }
  }

/** The address at which the merchant reaches this simulator. */
const mountOf = ({ headers }: UpstreamRequest, url: URL): string =>
  `http://${headers.host}${url.pathname.slice(0, url.pathname.indexOf('/v3/'))}`
