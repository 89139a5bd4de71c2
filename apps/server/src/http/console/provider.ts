/**
 * Signing in by the installation's identity provider. The browser comes back to one address of ours, and is led on to pages that are
 * written here: no part of a request says where to.
 */
import type { OwnProvider, ProviderView, ProviderWord } from '@acopay/protocol/console'
import type { ConsoleUser } from '@acopay/store/read'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addAuditEntry } from '../../actions/console/audit.ts'
import {
  beginLink,
  beginProviderSignIn,
  comeBack,
  type Departure,
  giveSecond,
  linkOf,
  providerOf,
  type Returned,
  unlink,
} from '../../actions/console/identity-provider.ts'
import { ProviderFailure } from '../../security/identity-provider.ts'
import type { World } from '../../world.ts'
import { Began, type ConsoleCall, type ConsoleEndpoint, Departs, type Failed, failed } from './call.ts'
import { fieldsOf } from './fields.ts'
import { openCall } from './open-calls.ts'
import { giveSession, type Parts, rememberDevice } from './parts.ts'
import { passkeyIn } from './passkey-fields.ts'
import { CODE_MAX, SECOND_NEEDED } from './session.ts'

const NO_PROVIDER = () =>
  failed('NOT_FOUND', '本网关没有设置统一身份登录', 'This gateway has no identity provider to sign in by')

const NOT_REACHED = () =>
  failed(
    'CONFLICT',
    '暂时无法使用统一身份登录：身份提供方没有正确应答。请用密码登录，或稍后再试',
    'The identity provider does not answer as it should. Sign in with your password, or try again later',
  )

const OVER = () =>
  failed('SIGN_IN_FIRST', '此次登录已超时或已用过，请重新开始', 'This sign-in took too long or was used; begin again')

const WRONG_SECOND = () =>
  failed(
    'SIGN_IN_FAILED',
    '验证码不正确或已使用；连续失败5次后须等待，1分钟起',
    'The code is wrong or was used before; after five failures you have to wait, for a minute at first',
  )

/** A browser that leaves for the provider, or the reason why it cannot. */
async function departs(world: World, departure: Promise<Departure>): Promise<Departs | Failed> {
  try {
    const { tripToken, url } = await departure
    return new Departs(tripToken, url)
  } catch (error) {
    if (!(error instanceof ProviderFailure)) throw error
    world.log.warn({ kind: error.kind, code: error.code }, 'identity provider failed')
    return NOT_REACHED()
  }
}

async function beginSignIn(world: World): Promise<Departs | Failed> {
  const provider = providerOf(world)
  return provider === null ? NO_PROVIDER() : departs(world, beginProviderSignIn(world, provider))
}

type Second = { body: Record<string, unknown>; request: FastifyRequest; tripToken: string | undefined }

async function secondStep(world: World, { body, request, tripToken = '' }: Second): Promise<Began | Failed> {
  const site = world.consoleRules.passkeySiteOf(request.host)
  const read = fieldsOf(body)
  const second = { code: read.text('totp', CODE_MAX), passkey: passkeyIn(body, read.say), site }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const step = await giveSecond(world, { tripToken, second, address: request.ip })
  if (step.kind === 'needed') return SECOND_NEEDED(step.with)
  if (step.user !== null) await note(world, request, { user: step.user, action: 'session.begin' }, outcomeOf(step.kind))
  if (step.kind === 'begun') return new Began(step.token, step.user)
  return step.kind === 'wrong' ? WRONG_SECOND() : OVER()
}

const outcomeOf = (kind: 'over' | 'wrong' | 'begun'): string => (kind === 'begun' ? 'DONE' : 'SIGN_IN_FAILED')

/** An entry about a user whom the provider has named. */
async function note(
  world: World,
  { ip: address }: FastifyRequest,
  { user: { username, mchNo }, action }: { user: ConsoleUser; action: 'session.begin' | 'session.provider_link' },
  outcome: string,
): Promise<void> {
  const entry = { username, address, action, mchNo, subject: username, detail: { by: 'identity provider' } }
  await addAuditEntry(world, entry, outcome)
}

/** Notes what became of a return, where it is known whose it was. */
async function noteReturn(world: World, request: FastifyRequest, returned: Returned): Promise<void> {
  if (returned.kind === 'second') return
  if (returned.kind === 'begun') return note(world, request, { ...returned, action: 'session.begin' }, 'DONE')
  if (returned.kind === 'linked') return note(world, request, { ...returned, action: 'session.provider_link' }, 'DONE')
  const { why, code, user } = returned
  // Not who it was: the provider's names of people are theirs.
  world.log.warn({ kind: why, ...(code === undefined ? {} : { code }) }, 'identity provider failed')
  if (user === null) return
  const action = why === 'nobody' ? 'session.begin' : 'session.provider_link'
  await note(world, request, { user, action }, why === 'nobody' ? 'SIGN_IN_FAILED' : 'CONFLICT')
}

/** What becomes of linking; the others are told at the sign-in. */
const ON_ACCOUNT: ReadonlySet<ProviderWord> = new Set(['linked', 'taken'])

/** The page that a browser is led to: always one of these. */
const PAGE_OF = (word: ProviderWord | null): string =>
  word === null ? '/console/overview' : `/console/${ON_ACCOUNT.has(word) ? 'account' : 'overview'}?provider=${word}`

const leadTo = (reply: FastifyReply, word: ProviderWord | null): FastifyReply =>
  reply.header('cache-control', 'no-store').redirect(PAGE_OF(word), 303)

async function callback(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { world, trip, signIns } = parts
  const provider = providerOf(world)
  const tripToken = request.cookies[trip.name]
  if (!signIns.allows(request.ip, null)) return leadTo(reply, 'busy')
  reply.clearCookie(trip.name, trip.with)
  if (provider === null || tripToken === undefined) return leadTo(reply, 'over')
  const query = request.url.split('?')[1] ?? ''
  const returned = await comeBack(world, provider, { tripToken, query, address: request.ip })
  await noteReturn(world, request, returned)
  switch (returned.kind) {
    case 'begun':
      giveSession(parts, request, reply, new Began(returned.token, returned.user))
      rememberDevice(parts, request, reply, returned.user.username)
      return leadTo(reply, null)
    case 'second':
      reply.setCookie(trip.name, returned.tripToken, trip.with)
      return leadTo(reply, 'second')
    case 'linked':
      return leadTo(reply, 'linked')
    case 'failed':
      return leadTo(reply, returned.why)
  }
}

export function providerRoutes(scope: FastifyInstance, parts: Parts): void {
  const { world } = parts
  scope.get('/console/api/provider', { exposeHeadRoute: false }, async (_request, reply) => {
    const provider = providerOf(world)
    const view: ProviderView | null = provider === null ? null : { name: provider.name }
    return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(view))
  })
  scope.post('/console/api/provider', (request, reply) => openCall(parts, [request, reply], () => beginSignIn(world)))
  scope.post('/console/api/provider/second', (request, reply) =>
    openCall(parts, [request, reply], (body) =>
      secondStep(world, { body, request, tripToken: request.cookies[parts.trip.name] }),
    ),
  )
  scope.get('/console/provider/callback', { exposeHeadRoute: false }, (request, reply) =>
    callback(parts, request, reply).catch((error: unknown) => {
      world.log.error({ requestId: request.id, err: error }, 'request failed')
      return leadTo(reply, 'unreachable')
    }),
  )
}

async function own(world: World, { caller }: ConsoleCall): Promise<OwnProvider> {
  const provider = providerOf(world)
  if (provider === null) return { name: null, linked_at: null }
  const since = await linkOf(world, provider, caller.username)
  return { name: provider.name, linked_at: since?.toISOString() ?? null }
}

async function link(world: World, { caller }: ConsoleCall): Promise<Departs | Failed> {
  const provider = providerOf(world)
  if (provider === null) return NO_PROVIDER()
  if ((await linkOf(world, provider, caller.username)) !== null) {
    return failed(
      'CONFLICT',
      '已经关联；如要换一个，请先解除',
      'It is linked already; to link another one, unlink it first',
    )
  }
  return departs(world, beginLink(world, provider, caller))
}

async function endLink(world: World, { caller }: ConsoleCall): Promise<object> {
  await unlink(world, caller.username)
  return {}
}

export const providerEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'session/provider', permission: null, handle: own },
  {
    method: 'POST',
    path: 'session/provider',
    permission: null,
    // It is another way to sign in.
    needsProof: () => true,
    action: 'session.provider_begin',
    handle: link,
  },
  {
    method: 'DELETE',
    path: 'session/provider',
    permission: null,
    action: 'session.provider_unlink',
    stateOf: async (world, call) => ({ linked_at: (await own(world, call)).linked_at }),
    handle: endLink,
  },
]
