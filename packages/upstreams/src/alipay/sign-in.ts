/**
 * "网页授权" from Alipay's side: sends the payer's browser back with a code, and tells once which payer the code is for.
 */
import { randomBytes } from 'node:crypto'
import type { UpstreamReply } from '../stand-in.ts'
import type { StandInWorld } from '../stand-in-world.ts'
import { type AlipayStandInSettings, SANDBOX_BUYER } from './settings.ts'
import { type Answer, refuse } from './verbs.ts'

type Code = { userId: string; untilMs: number; isSpent: boolean }

const CODE_LIVES_MS = 24 * 3_600_000

const keyOf = ({ appId }: AlipayStandInSettings, code: string): string => `alipay/${appId}/code/${code}`

/** What the payer's browser asks for; the merchant does not sign it. */
export async function authorize(
  settings: AlipayStandInSettings,
  world: StandInWorld,
  asked: URLSearchParams,
): Promise<UpstreamReply> {
  const back = asked.get('redirect_uri') ?? ''
  if (asked.get('app_id') !== settings.appId || asked.get('scope') !== 'auth_base' || !URL.canParse(back)) {
    return { status: 200, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: '无效的授权链接' }
  }
  const code = randomBytes(16).toString('hex')
  const userId = settings.buyerId ?? SANDBOX_BUYER
  const untilMs = world.now().getTime() + CODE_LIVES_MS
  await world.books.change(keyOf(settings, code), () => ({
    after: { userId, untilMs, isSpent: false } satisfies Code,
    result: null,
  }))
  const location = new URL(back)
  const told = { app_id: settings.appId, source: 'alipay_wallet', scope: 'auth_base', auth_code: code }
  for (const [name, value] of Object.entries({ ...told, state: asked.get('state') ?? '' })) {
    location.searchParams.set(name, value)
  }
  return { status: 302, headers: { location: location.href }, body: '' }
}

/** "alipay.system.oauth.token": a success has no `code`. */
export async function payerOfCode(
  settings: AlipayStandInSettings,
  { books, now }: StandInWorld,
  asked: URLSearchParams,
): Promise<Answer> {
  if (asked.get('grant_type') !== 'authorization_code') return refuse('isv.grant-type-invalid')
  return books.change(keyOf(settings, asked.get('code') ?? ''), (before) => {
    const code = before as Code | null
    if (code === null || code.isSpent || code.untilMs <= now().getTime()) {
      return { after: null, result: refuse('isv.code-invalid') }
    }
    const told = { user_id: code.userId, access_token: 'x', expires_in: '1296000', re_expires_in: '2592000' }
    return { after: { ...code, isSpent: true }, result: told }
  })
}
