/**
 * A simulator of Alipay's OpenAPI gateway (opendocs.alipay.com), quirks included.
 * What is known of it, with sources: docs/upstreams/alipay.md.
 */
import { randomBytes } from 'node:crypto'
import { type How, misbehaving, ofAnother } from '../misbehave.ts'
import type { StandIn, UpstreamReply, UpstreamRequest } from '../stand-in.ts'
import type { StandInWorld } from '../stand-in-world.ts'
import { type Trades, tradesOf } from '../trades.ts'
import { billZip } from './bill.ts'
import { wrongSerial } from './certificates.ts'
import { encodeGbk } from './gbk.ts'
import { notificationOf } from './notification.ts'
import type { AlipayStandInSettings } from './settings.ts'
import { authorize, payerOfCode } from './sign-in.ts'
import { type AlipaySigner, alipaySigner } from './signature.ts'
import { type Answer, type Call, refuse, VERBS } from './verbs.ts'

export type { AlipayStandInSettings } from './settings.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** 4 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h: "异步通知". */
const PAUSES_MS = [4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR]

export function makeAlipayStandIn(settings: AlipayStandInSettings, world: StandInWorld): StandIn {
  const signer = alipaySigner(settings, world.now)
  const trades = tradesOf(`alipay/${settings.appId}`, world, {
    pausesMs: PAUSES_MS,
    isHeard: ({ status, body }) => status === 200 && body.trim() === 'success',
    render(trade, { id }) {
      const charset = world.faults.pick('notify', trade.no, 'gbk') === null ? 'utf-8' : 'GBK'
      const params = { ...notificationOf(settings, trade, world.now().getTime()), notify_id: id, charset }
      return {
        headers: { 'content-type': `application/x-www-form-urlencoded; charset=${charset}` },
        body: signer.signForm(params),
      }
    },
  })

  /** What Alipay answers to a request whose parameters are these. */
  async function answer(params: URLSearchParams, url: URL): Promise<{ no: string; reply: UpstreamReply | null }> {
    const method = params.get('method') ?? ''
    const render = renderer(signer, method)
    const say = (said: Answer, how: How = 'well') => ({ no: '', reply: render(said, how) })
    const wrong = wrongRequest(settings, signer, params, world.now().getTime())
    if (wrong !== null) return say(refuse(wrong.word), wrong.isSigned ? 'well' : 'unsigned')
    if (method === DOWNLOAD) return say(certificateAnswer(signer, params), 'unsigned')
    if (method === SIGN_IN) {
      const payer = await payerOfCode(settings, world, params)
      return { no: '', reply: renderer(signer, 'sub_code' in payer ? 'error' : method)(payer, 'well') }
    }
    const found = VERBS[method]
    if (found === undefined) {
      return say({ code: '40006', msg: 'Insufficient', sub_code: 'isv.insufficient-isv-permissions' })
    }
    const call = await callOf(settings, trades, params, url)
    const reply = await misbehaving(
      world,
      { verb: found.verb, no: call.no },
      { work: (fault) => found.work(call, fault), render, failure: (word = 'ACQ.SYSTEM_ERROR') => refuse(word) },
    )
    return { no: call.no, reply }
  }

  return {
    control: trades.control,
    async handle(request) {
      const url = new URL(request.url, `http://${request.headers.host ?? 'alipay'}`)
      if (url.pathname.endsWith('/bill.zip')) return binary(await billZip(trades, url.searchParams.get('day') ?? ''))
      if (url.pathname.endsWith('/publicAppAuthorize.htm')) return authorize(settings, world, url.searchParams)
      const { no, reply } = await answer(paramsOf(request, url), url)
      // The payer's browser asks for a page: it is shown the page instead of the answer.
      return request.method === 'GET' && reply !== null && no !== '' ? page(no) : reply
    },
  }
}

/** Why a request is not accepted as this app's; null when it is. Alipay looks for the app first. */
function wrongRequest(
  { appId, certificates, authorized }: AlipayStandInSettings,
  signer: AlipaySigner,
  params: URLSearchParams,
  nowMs: number,
): { word: string; isSigned: boolean } | null {
  if (params.get('app_id') !== appId) return { word: 'isv.invalid-app-id', isSigned: false }
  const word = certificates === undefined ? null : wrongSerial(certificates, params, nowMs)
  if (word !== null) return { word, isSigned: true }
  if (!signer.isApps(params)) return { word: 'isv.invalid-signature', isSigned: false }
  const token = params.get('app_auth_token') ?? ''
  return token === (authorized?.token ?? token) ? null : { word: 'aop.invalid-app-auth-token', isSigned: true }
}

const SIGN_IN = 'alipay.system.oauth.token'
const DOWNLOAD = 'alipay.open.app.alipaycert.download'

/** "应用支付宝公钥证书下载": the certificate's file in Base64. Nobody signs this answer. */
function certificateAnswer({ fileOf }: AlipaySigner, params: URLSearchParams): Answer {
  const { alipay_cert_sn: serial } = JSON.parse(params.get('biz_content') ?? '{}') as Record<string, unknown>
  const file = fileOf(serial)
  if (file === null) return refuse('isv.alipay-cert-not-exist')
  return { code: '10000', msg: 'Success', alipay_cert_content: Buffer.from(file).toString('base64') }
}

/** The parameters of the query, and those of the form, which win. */
function paramsOf(request: UpstreamRequest, url: URL): URLSearchParams {
  const params = new URLSearchParams(url.search)
  for (const [name, value] of new URLSearchParams(request.body)) params.set(name, value)
  return params
}

async function callOf(
  settings: AlipayStandInSettings,
  trades: Trades,
  params: URLSearchParams,
  url: URL,
): Promise<Call> {
  const content = JSON.parse(params.get('biz_content') ?? '{}') as Record<string, unknown>
  return {
    trades,
    settings,
    content,
    no: await tradeNoOf(trades, content),
    notifyUrl: params.get('notify_url') ?? '',
    billUrl: `${url.origin}${url.pathname.replace(/gateway\.do$/, 'bill.zip')}`,
    method: params.get('method') ?? '',
  }
}

/** "如果同时传了 out_trade_no和 trade_no，则以 trade_no为准". */
async function tradeNoOf(trades: Trades, content: Record<string, unknown>): Promise<string> {
  if (typeof content.trade_no === 'string') return (await trades.tradeNoOf('payment', content.trade_no)) ?? ''
  return String(content.out_trade_no ?? content.bill_date ?? '')
}

const renderer =
  ({ signBytes, serial }: AlipaySigner, method: string) =>
  (answer: Answer, how: How): UpstreamReply => {
    const encode = how === 'gbk' ? encodeGbk : (text: string) => Buffer.from(text, 'utf8')
    const member = encode(JSON.stringify(how === 'other_number' ? ofAnother(answer) : answer))
    const signature = signBytes(how === 'bad_signature' ? Buffer.concat([member, Buffer.from(' ')]) : member)
    const certificate = serial() === null ? '' : `,"alipay_cert_sn":"${serial()}"`
    const sign = how === 'unsigned' ? '' : `${certificate},"sign":"${signature}"`
    const name = `${method.replaceAll('.', '_')}_response`
    const body = Buffer.concat([Buffer.from(`{"${name}":`), member, Buffer.from(`${sign}}`)])
    const charset = how === 'gbk' ? 'GBK' : 'utf-8'
    return {
      status: 200,
      headers: { 'content-type': `text/html;charset=${charset}`, trace_id: randomBytes(16).toString('hex') },
      body: how === 'unreadable' ? '<html>busy</html>' : body,
    }
  }

const page = (no: string): UpstreamReply => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: `<!doctype html><meta charset="utf-8"><title>支付宝 Alipay</title><p>沙箱收银台 sandbox cashier: ${no.replace(/\W/g, '')}`,
})

const binary = (body: Buffer): UpstreamReply => ({
  status: 200,
  headers: { 'content-type': 'application/zip' },
  body,
})
