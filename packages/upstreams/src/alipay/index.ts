/** Alipay's OpenAPI gateway from its own side (opendocs.alipay.com), quirks included. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, verify } from 'node:crypto'
import type { Verb } from '../faults.ts'
import { type How, misbehaving } from '../misbehave.ts'
import type { StandIn, StandInWorld, UpstreamReply } from '../stand-in.ts'
import { type Trade, tradesOf } from '../trades.ts'
import { billZip } from './bill.ts'
import { timeText } from './time.ts'
import { type Answer, refuse, WORKS, type Work } from './works.ts'

export type AlipayStandInSettings = {
  appId: string
  sellerId: string
  /** Base64 DER, like all keys here. */
  appPublicKey: string
  alipayPrivateKey: string
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** 4 min, 10 min, 10 min, 1 h, 2 h, 6 h, 15 h: "异步通知". */
const PAUSES_MS = [4 * MINUTE, 10 * MINUTE, 10 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 15 * HOUR]

export function makeAlipayStandIn(settings: AlipayStandInSettings, world: StandInWorld): StandIn {
  const ownKey = derKey(settings.alipayPrivateKey, 'pkcs8')
  const appKey = derKey(settings.appPublicKey, 'spki')
  const signText = (text: string): string => sign('RSA-SHA256', Buffer.from(text, 'utf8'), ownKey).toString('base64')

  const trades = tradesOf(`alipay/${settings.appId}`, world, {
    pausesMs: PAUSES_MS,
    isHeard: ({ status, body }) => status === 200 && body.trim() === 'success',
    render(trade, { id }) {
      const params = { ...notificationOf(settings, trade, world.now().getTime()), notify_id: id }
      const form = new URLSearchParams({ ...params, sign_type: 'RSA2', sign: signText(formText(params)) })
      return {
        headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
        body: form.toString(),
      }
    },
  })

  const render =
    (method: string) =>
    (answer: Answer, how: How): UpstreamReply => {
      const member = JSON.stringify(answer)
      const signature = signText(how === 'bad_signature' ? `${member} ` : member)
      const text = `{"${method.replaceAll('.', '_')}_response":${member},"sign":"${signature}"}`
      return {
        status: 200,
        headers: { 'content-type': 'application/json;charset=utf-8', trace_id: randomBytes(16).toString('hex') },
        body: how === 'unreadable' ? '<html>busy</html>' : text,
      }
    }

  const isApps = (params: URLSearchParams): boolean => {
    const signed = Object.fromEntries([...params].filter(([name]) => name !== 'sign'))
    const signature = Buffer.from(params.get('sign') ?? '', 'base64')
    return (
      params.get('app_id') === settings.appId && verify('RSA-SHA256', Buffer.from(formText(signed)), appKey, signature)
    )
  }

  return {
    control: trades.control,
    async handle(request) {
      const url = new URL(request.url, `http://${request.headers.host ?? 'alipay'}`)
      if (url.pathname.endsWith('/bill.zip')) return binary(await billZip(trades, url.searchParams.get('day') ?? ''))
      const params = new URLSearchParams(url.search)
      for (const [name, value] of new URLSearchParams(request.body)) params.set(name, value)
      const method = params.get('method') ?? ''
      if (!isApps(params)) {
        return render(method)({ code: '40002', msg: 'Invalid Arguments', sub_code: 'isv.invalid-signature' }, 'well')
      }
      const found: { verb: Verb; work: Work } | undefined = WORKS[method]
      if (found === undefined) {
        return render(method)(
          { code: '40006', msg: 'Insufficient', sub_code: 'isv.insufficient-isv-permissions' },
          'well',
        )
      }
      const content = JSON.parse(params.get('biz_content') ?? '{}') as Record<string, unknown>
      const no = String(content.out_trade_no ?? content.bill_date ?? '')
      const billUrl = `${url.origin}${url.pathname.replace(/gateway\.do$/, 'bill.zip')}`
      const call = { trades, content, no, notifyUrl: params.get('notify_url') ?? '', billUrl, method }
      const reply = await misbehaving(
        world,
        { verb: found.verb, no },
        (fault) => found.work(call, fault),
        render(method),
        refuse('ACQ.SYSTEM_ERROR'),
      )
      // A page is asked for by the payer's browser, and shows instead of answering.
      return request.method === 'GET' && reply !== null ? page(no) : reply
    },
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

/** `a=1&b=2`, sorted by name, empty values left out. */
const formText = (params: Record<string, string>): string =>
  Object.entries(params)
    .filter(([, value]) => value !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')

const notificationOf = (
  { appId, sellerId }: AlipayStandInSettings,
  trade: Trade,
  nowMs: number,
): Record<string, string> => ({
  notify_time: timeText(nowMs),
  notify_type: 'trade_status_sync',
  app_id: appId,
  seller_id: sellerId,
  out_trade_no: trade.no,
  trade_no: trade.payment?.no ?? '',
  trade_status: 'TRADE_SUCCESS',
  total_amount: ((trade.payment?.fen ?? 0) / 100).toFixed(2),
  buyer_id: trade.payment?.payer ?? '',
  gmt_payment: timeText(trade.payment?.atMs ?? 0),
  subject: trade.description,
  charset: 'utf-8',
  version: '1.0',
})

const derKey = (text: string, type: 'pkcs8' | 'spki'): KeyObject => {
  const key = Buffer.from(text, 'base64')
  return type === 'pkcs8'
    ? createPrivateKey({ key, format: 'der', type })
    : createPublicKey({ key, format: 'der', type })
}
