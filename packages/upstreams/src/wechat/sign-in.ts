/**
 * "网页授权" from WeChat's side: sends the payer's browser back with a code, and tells once which payer the code is for.
 */
import { randomBytes } from 'node:crypto'
import type { UpstreamReply, UpstreamRequest } from '../stand-in.ts'
import type { StandInWorld } from '../stand-in-world.ts'
import type { WechatStandInSettings } from './settings.ts'

type Code = { openId: string; untilMs: number; isSpent: boolean }

const CODE_LIVES_MS = 5 * 60_000
const OPEN_ID = 'o-sandbox-payer-in-wechat'

/** Null when the request is none of the three, which the merchant does not sign. */
export async function signIn(
  settings: WechatStandInSettings,
  world: StandInWorld,
  request: UpstreamRequest,
): Promise<UpstreamReply | null> {
  const { pathname, searchParams: asked } = new URL(request.url, 'http://wechat')
  // Payers know the sub-merchant's app, where there is one.
  const account = { ...settings, appId: settings.subAppId ?? settings.appId }
  if (pathname.endsWith('/connect/oauth2/authorize')) return authorize(account, world, asked)
  if (pathname.endsWith('/sns/oauth2/access_token')) return token(account, world, asked)
  if (pathname.endsWith('/sns/jscode2session')) return miniToken(settings, world, asked)
  return null
}

const MINI_OPEN_ID = 'o-sandbox-payer-in-mini-program'

/** "小程序登录": `wx.login` is not a call over HTTP, so any code of its form is good, once. */
async function miniToken(settings: WechatStandInSettings, world: StandInWorld, asked: URLSearchParams) {
  const { miniAppId, miniAppSecret } = settings
  const code = asked.get('js_code') ?? ''
  const isTheirs = miniAppId !== undefined && asked.get('appid') === miniAppId
  if (!isTheirs || asked.get('secret') !== miniAppSecret) return say({ errcode: 40125, errmsg: 'invalid appsecret' })
  if (!/^[\w-]{20,64}$/.test(code)) return say({ errcode: 40029, errmsg: 'invalid code' })
  return world.books.change(`wechat/${miniAppId}/code/${code}`, (before) =>
    before === null
      ? { after: { isSpent: true }, result: say({ openid: MINI_OPEN_ID, session_key: 'x' }) }
      : { after: null, result: say({ errcode: 40163, errmsg: 'code been used' }) },
  )
}

const say = (answer: object): UpstreamReply => ({
  status: 200,
  headers: { 'content-type': 'text/plain' },
  body: JSON.stringify(answer),
})

const keyOf = ({ appId }: WechatStandInSettings, code: string): string => `wechat/${appId}/code/${code}`

async function authorize(settings: WechatStandInSettings, world: StandInWorld, asked: URLSearchParams) {
  const back = asked.get('redirect_uri') ?? ''
  const isFine = asked.get('appid') === settings.appId && asked.get('response_type') === 'code' && URL.canParse(back)
  if (!isFine || asked.get('scope') !== 'snsapi_base' || !/^[0-9A-Za-z]{1,128}$/.test(asked.get('state') ?? '')) {
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '该链接无法访问' }
  }
  const code = randomBytes(16).toString('hex')
  const untilMs = world.now().getTime() + CODE_LIVES_MS
  await world.books.change(keyOf(settings, code), () => ({
    after: { openId: OPEN_ID, untilMs, isSpent: false } satisfies Code,
    result: null,
  }))
  const location = new URL(back)
  location.searchParams.set('code', code)
  location.searchParams.set('state', asked.get('state') ?? '')
  return { status: 302, headers: { location: location.href }, body: '' }
}

async function token(settings: WechatStandInSettings, world: StandInWorld, asked: URLSearchParams) {
  if (asked.get('appid') !== settings.appId || asked.get('secret') !== settings.appSecret) {
    return say({ errcode: 40125, errmsg: 'invalid appsecret' })
  }
  return world.books.change(keyOf(settings, asked.get('code') ?? ''), (before) => {
    const code = before as Code | null
    if (code === null || code.untilMs <= world.now().getTime()) {
      return { after: null, result: say({ errcode: 40029, errmsg: 'invalid code' }) }
    }
    if (code.isSpent) return { after: null, result: say({ errcode: 40163, errmsg: 'code been used' }) }
    const told = { access_token: 'x', expires_in: 7200, refresh_token: 'x', openid: code.openId, scope: 'snsapi_base' }
    return { after: { ...code, isSpent: true }, result: say(told) }
  })
}
