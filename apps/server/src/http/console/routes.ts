/**
 * The console below `/console`: its pages, and its own API. Every call goes through `respond`, top to bottom: rate, session,
 * CSRF token, password that must be changed, permission, audit log, and only then what was asked for.
 */
import { existsSync, readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { ALLOWED, type AuditAction, type Permission, type Role, type Session } from '@acopay/protocol/console'
import { beginAudit, endAudit, forgetConsoleSessions, useConsoleSession } from '@acopay/store'
import fastifyCookie from '@fastify/cookie'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { platformNumber } from '../../numbers.ts'
import type { World } from '../../world.ts'
import { type RateLimit, rateLimit } from '../rate-limit.ts'
import { auditEndpoints } from './audit.ts'
import { Began, type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, isFile } from './call.ts'
import { channelEndpoints } from './channel-settings.ts'
import { financeEndpoints } from './finance.ts'
import { listEndpoints } from './lists.ts'
import { keyEndpoints } from './merchant-keys.ts'
import { merchantEndpoints } from './merchants.ts'
import { orderDeedEndpoints } from './order-deeds.ts'
import { orderEndpoints } from './orders.ts'
import { overviewEndpoints } from './overview.ts'
import { csrfOf, IDLE_MS, sessionEndpoints, sessionKey, sessionView, signIn } from './session.ts'
import { userEndpoints } from './users.ts'

const ENDPOINTS: ConsoleEndpoint[] = [
  ...sessionEndpoints,
  ...orderEndpoints,
  ...orderDeedEndpoints,
  ...merchantEndpoints,
  ...keyEndpoints,
  ...channelEndpoints,
  ...userEndpoints,
  ...listEndpoints,
  ...financeEndpoints,
  ...overviewEndpoints,
  ...auditEndpoints,
]

const PAGES = fileURLToPath(new URL('../../../../console/dist/', import.meta.url))
const COOKIE = 'acopay_console'
const YEAR_MS = 31_536_000_000
/** Guesses of passwords from one address, a second: each costs us 100 ms of a core. */
const SIGN_INS = 5

/** `extra`: endpoints of the sandbox, which exist only there. */
export function consoleRoutes(
  app: FastifyInstance,
  world: World,
  options: { perAddress: RateLimit; ratePerAddress: number; publicUrl: string | null },
  extra: ConsoleEndpoint[],
): void {
  const signIns = rateLimit(Math.min(options.ratePerAddress, SIGN_INS), () => world.now().getTime())
  const secure = options.publicUrl?.startsWith('https:') ?? false
  const cookie = { path: '/console', httpOnly: true, sameSite: 'strict', secure } as const

  // biome-ignore lint/nursery/noMisusedPromises: Fastify waits for a plugin that answers a promise
  app.register(async (scope) => {
    await scope.register(fastifyCookie)
    scope.addHook('onSend', (_request, reply, payload, done) => {
      reply.headers({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      })
      done(null, payload)
    })
    for (const endpoint of [...ENDPOINTS, ...extra]) {
      scope.route({
        method: endpoint.method,
        url: `/console/api/${endpoint.path}`,
        exposeHeadRoute: false,
        handler: async (request, reply) => {
          if (!options.perAddress.allows(request.ip, null)) return send(request, reply, TOO_OFTEN())
          const answer = await respond(world, endpoint, request).catch((error: unknown) =>
            broken(world, request, error),
          )
          if (endpoint.action === 'session.end' && !(answer instanceof Failed)) reply.clearCookie(COOKIE, cookie)
          return send(request, reply, answer instanceof Began ? given(reply, answer) : answer)
        },
      })
    }
    /** Hands a new session to the browser, and says whose it is. */
    const given = (reply: FastifyReply, { token, user }: Began): Session => {
      reply.setCookie(COOKIE, token, cookie)
      return sessionView(world, token, user)
    }

    /** Null where nobody is signed in: the first question of every page is no failure. */
    scope.get('/console/api/session', { exposeHeadRoute: false }, async (request, reply) => {
      if (!options.perAddress.allows(request.ip, null)) return send(request, reply, TOO_OFTEN())
      const view = await whoIs(request).catch((error: unknown) => broken(world, request, error))
      if (view instanceof Failed) return send(request, reply, view)
      return reply
        .header('cache-control', 'no-store')
        .type('application/json; charset=utf-8')
        .send(JSON.stringify(view))
    })
    const whoIs = async (request: FastifyRequest): Promise<Session | null> => {
      const token = request.cookies[COOKIE]
      const user = token === undefined ? null : await userOf(world, token, request)
      return token === undefined || user === null ? null : sessionView(world, token, user)
    }

    scope.post('/console/api/session', async (request, reply) => {
      if (!signIns.allows(request.ip, null)) return send(request, reply, TOO_OFTEN())
      // A form on another site can send no JSON: nobody is signed in as somebody else without knowing.
      if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) {
        return send(
          request,
          reply,
          failed('FIELD_INVALID', '请求体应为JSON', 'The body should be JSON', { field: 'body' }),
        )
      }
      const body = readBody(request)
      if (body instanceof Failed) return send(request, reply, body)
      const answer = await signedIn(request, body).catch((error: unknown) => broken(world, request, error))
      return send(request, reply, answer instanceof Began ? given(reply, answer) : answer)
    })
    const signedIn = async (request: FastifyRequest, body: Record<string, unknown>): Promise<Began | Failed> => {
      const { user, answer } = await signIn(world, { body, address: request.ip })
      const now = world.now()
      if (user !== null) {
        const { username, mchNo } = user
        const outcome = answer instanceof Failed ? answer.failure.error : 'DONE'
        const action: AuditAction = 'session.begin'
        const audit = { username, address: request.ip, action, mchNo, subject: username }
        await beginAudit(world.pool, { ...audit, auditNo: newAuditNo(world), detail: {}, outcome }, now)
      }
      if (answer instanceof Began) {
        await forgetConsoleSessions(world.pool, now, new Date(now.getTime() - IDLE_MS))
      }
      return answer
    }

    scope.all('/console/api/*', { exposeHeadRoute: false }, (request, reply) =>
      send(request, reply, failed('NOT_FOUND', '没有这个接口', 'There is no such endpoint')),
    )
    scope.register(fastifyStatic, {
      ...{ root: PAGES, prefix: '/console/', wildcard: false, index: false, globIgnore: ['*.html'] },
      ...{ maxAge: YEAR_MS, immutable: true },
    })
    // Every other path is a page: which one, the page itself knows.
    for (const path of ['/console', '/console/*']) {
      scope.get(path, { exposeHeadRoute: false }, async (_request, reply) => sendPage(world, reply))
    }
  })
}

/** What numbers and names of any kind are made of. */
const PART = /^[\w.:-]{1,100}$/

const TOO_OFTEN = () =>
  failed('FREQUENCY_LIMIT', '请求过于频繁，请稍后再试', 'Too many requests; wait a moment', { retry_after_s: 1 })

/** A page that asks by itself, with nobody at it, says so: it keeps no session open. */
const userOf = (world: World, token: string, { headers }: FastifyRequest) => {
  const now = world.now()
  const isActive = headers['x-acopay-idle'] === undefined
  return useConsoleSession(world.pool, sessionKey(token), now, new Date(now.getTime() - IDLE_MS), isActive)
}

async function respond(world: World, endpoint: ConsoleEndpoint, request: FastifyRequest): Promise<object | Failed> {
  const token = request.cookies[COOKIE]
  const user = token === undefined ? null : await userOf(world, token, request)
  if (token === undefined || user === null) return failed('SIGN_IN_FIRST', '请先登录', 'Sign in first')
  if (endpoint.method !== 'GET' && request.headers['x-acopay-csrf'] !== csrfOf(token)) {
    return failed('CSRF_MISSING', '页面已过期，请刷新后重试', 'The page is out of date; reload it and try again')
  }
  if (user.mustChangePassword && endpoint.isAlwaysOpen !== true) {
    return failed('PASSWORD_CHANGE_FIRST', '请先修改密码', 'Change your password first')
  }
  const role = user.role as Role
  const permissions: readonly Permission[] = ALLOWED[role]
  if (endpoint.permission !== null && !permissions.includes(endpoint.permission)) {
    return failed('FORBIDDEN', '您的角色没有此权限', 'Your role does not allow this')
  }
  const body = endpoint.method === 'GET' ? {} : readBody(request)
  if (body instanceof Failed) return body
  const { username, mchNo } = user
  const caller: Caller = { username, role, mchNo, permissions, sessionKey: sessionKey(token), address: request.ip }
  const path = request.params as Record<string, string>
  if (Object.values(path).some((part) => !PART.test(part)))
    return failed('NOT_FOUND', '没有这个对象', 'There is no such thing')
  const call: ConsoleCall = { caller, path, query: readQuery(request.url), body }
  if (caller.mchNo !== null) request.line.mchNo = caller.mchNo
  if (endpoint.action === undefined) return endpoint.handle(world, call)

  const auditNo = newAuditNo(world)
  const about = (await endpoint.audited?.(call, world)) ?? { mchNo, subject: null }
  const [ofMerchant, subject] = [plain(mchNo ?? about.mchNo), plain(about.subject)]
  const who = { username, address: request.ip, action: endpoint.action, mchNo: ofMerchant, subject }
  await beginAudit(world.pool, { auditNo, ...who, detail: about.detail ?? {}, outcome: 'BEGUN' }, world.now())
  const answer = await endpoint.handle(world, call).catch((error: unknown) => broken(world, request, error))
  await endAudit(world.pool, auditNo, answer instanceof Failed ? answer.failure.error : 'DONE')
  return answer
}

/** Whatever was sent can be written down. */
const plain = (text: string | null): string | null =>
  text?.replace(/[^\x20-\x7e\u00a0-\ud7ff\ue000-\uffff]/g, '?') ?? null

const newAuditNo = (world: World): string => platformNumber('AL', world.now(), world.newDigits(19))

function broken(world: World, request: FastifyRequest, error: unknown): Failed {
  world.log.error({ requestId: request.id, err: error }, 'request failed')
  return failed('SYSTEM_ERROR', '系统繁忙，请稍后再试', 'Something failed on our side; try again')
}

function send(request: FastifyRequest, reply: FastifyReply, answer: object): FastifyReply {
  reply.header('cache-control', 'no-store')
  request.line.outcome = answer instanceof Failed ? answer.failure.error : 'DONE'
  if (answer instanceof Failed) {
    const { retry_after_s } = answer.failure
    if (retry_after_s !== undefined) reply.header('retry-after', String(retry_after_s))
    return reply.code(answer.status).send(answer.failure)
  }
  if (!isFile(answer)) return reply.send(answer)
  return reply
    .header('content-disposition', `attachment; filename="${answer.file}"`)
    .type(answer.contentType)
    .send(Readable.from(answer.chunks))
}

/** A JSON object, empty where nothing was sent. */
function readBody({ body }: FastifyRequest): Record<string, unknown> | Failed {
  if (!Buffer.isBuffer(body) || body.length === 0) return {}
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // Said below.
  }
  return failed('FIELD_INVALID', '请求体应为JSON对象', 'The body should be a JSON object', { field: 'body' })
}

const readQuery = (url: string): Record<string, string> =>
  Object.assign(Object.create(null), Object.fromEntries(new URL(url, 'http://console').searchParams))

let pageText: string | null = null

function sendPage(world: World, reply: FastifyReply): FastifyReply {
  if (pageText === null && existsSync(`${PAGES}index.html`)) pageText = readFileSync(`${PAGES}index.html`, 'utf8')
  if (pageText === null) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT)
  // The component library writes its styles at run time; only those with this nonce count.
  const nonce = world.newNonce()
  const csp = [
    `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; font-src 'self'`,
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ].join('; ')
  return reply
    .headers({ 'content-security-policy': csp, 'cache-control': 'no-store', 'x-robots-tag': 'noindex' })
    .type('text/html; charset=utf-8')
    .send(pageText.replaceAll('__CSP_NONCE__', nonce))
}

const NOT_BUILT = '管理台页面尚未编译，请运行 npm run build (the console is not built, run npm run build)\n'
