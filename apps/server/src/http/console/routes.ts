/** The console below `/console`: its pages, and its own API, whose calls go through `respond`. */
import type { Session } from '@acopay/protocol/console'
import fastifyCookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { addAuditEntry } from '../../actions/console/audit.ts'
import { forgetEndedSessions } from '../../actions/console/session.ts'
import type { World } from '../../world.ts'
import { NO_SNIFFING, pageHeaders } from '../page-headers.ts'
import { rateLimit } from '../rate-limit.ts'
import { staticPages } from '../static-pages.ts'
import type { LimitShare } from '../together.ts'
import { Began, type ConsoleEndpoint, Departs, Failed, failed } from './call.ts'
import { exportEndpoints } from './exports/lists.ts'
import { statementEndpoints } from './exports/statement.ts'
import { invitationRoutes } from './invitation.ts'
import { appEndpoints } from './merchants/apps.ts'
import { channelEndpoints } from './merchants/channel-settings.ts'
import { keyEndpoints } from './merchants/merchant-keys.ts'
import { merchantEndpoints } from './merchants/merchants.ts'
import { financeEndpoints } from './money/finance.ts'
import { reconciliationEndpoints } from './money/reconciliation.ts'
import { listEndpoints } from './money/refunds-and-reversals.ts'
import { sentBackEndpoints } from './money/sent-back.ts'
import { openCall } from './open-calls.ts'
import { bulkEndpoints } from './orders/bulk.ts'
import { bulkRequestEndpoints } from './orders/bulk-requests.ts'
import { evidenceEndpoints } from './orders/evidence.ts'
import { findEndpoints } from './orders/find.ts'
import { notificationEndpoints } from './orders/notifications.ts'
import { orderActionEndpoints } from './orders/order-actions.ts'
import { orderNoteEndpoints } from './orders/order-notes.ts'
import { orderEndpoints } from './orders/orders.ts'
import { refundRequestEndpoints } from './orders/refund-requests.ts'
import { ownSessionEndpoints } from './own-sessions.ts'
import { cookieFor, giveSession, letDepart, type Parts, tokenOf } from './parts.ts'
import { passkeyEndpoints } from './passkeys.ts'
import { providerEndpoints, providerRoutes } from './provider.ts'
import { broken, respond, send, type Token, userOf } from './respond.ts'
import { type SignInCall, sessionEndpoints, sessionView, signIn } from './session.ts'
import { alarmChannelEndpoints } from './system/alarm-channels.ts'
import { alarmEndpoints } from './system/alarms.ts'
import { auditEndpoints } from './system/audit.ts'
import { figureEndpoints } from './system/figures.ts'
import { invitationEndpoints } from './system/invitations.ts'
import { overviewEndpoints } from './system/overview.ts'
import { platformKeyEndpoints } from './system/platform-keys.ts'
import { stuckEndpoints } from './system/stuck.ts'
import { userEndpoints } from './system/users.ts'

const ENDPOINTS: ConsoleEndpoint[] = [
  ...sessionEndpoints,
  ...ownSessionEndpoints,
  ...passkeyEndpoints,
  ...providerEndpoints,
  ...orderEndpoints,
  ...findEndpoints,
  ...exportEndpoints,
  ...statementEndpoints,
  ...orderActionEndpoints,
  ...evidenceEndpoints,
  ...orderNoteEndpoints,
  ...bulkEndpoints,
  ...bulkRequestEndpoints,
  ...refundRequestEndpoints,
  ...merchantEndpoints,
  ...appEndpoints,
  ...keyEndpoints,
  ...channelEndpoints,
  ...userEndpoints,
  ...invitationEndpoints,
  ...listEndpoints,
  ...sentBackEndpoints,
  ...notificationEndpoints,
  ...financeEndpoints,
  ...reconciliationEndpoints,
  ...overviewEndpoints,
  ...figureEndpoints,
  ...stuckEndpoints,
  ...alarmEndpoints,
  ...alarmChannelEndpoints,
  ...auditEndpoints,
  ...platformKeyEndpoints,
]

/** Sign-ins a second from one address. Each costs a third of a second of a core, and all of them together no more than one core. */
const SIGN_INS = 5

/** A browser is known for so long after a sign-in, in seconds: a year. */
const DEVICE_S = 31_536_000

/** As long as a browser may be at the identity provider, in seconds. */
const TRIP_S = 600

const NOT_BUILT = '管理台页面尚未编译，请运行 npm run build (the console is not built, run npm run build)\n'

type Options = { ratePerAddress: number; publicUrl: string | null; share?: LimitShare }

/** `extra`: endpoints that only some gateways have, such as the sandbox's. */
export function consoleRoutes(app: FastifyInstance, world: World, options: Options, extra: ConsoleEndpoint[]): void {
  const parts: Parts = {
    world,
    pages: staticPages(world, { app: 'console', notBuilt: NOT_BUILT }),
    signIns: rateLimit(
      Math.min(options.ratePerAddress, SIGN_INS),
      () => world.now().getTime(),
      options.share?.('sign-in'),
    ),
    cookie: cookieFor('acopay_console', options.publicUrl),
    device: cookieFor('acopay_device', options.publicUrl, { maxAge: DEVICE_S }),
    trip: cookieFor('acopay_trip', options.publicUrl, { maxAge: TRIP_S, sameSite: 'lax' }),
  }
  // biome-ignore lint/nursery/noMisusedPromises: Fastify waits for a plugin that answers a promise
  app.register(async (scope) => {
    await scope.register(fastifyCookie)
    scope.addHook('onSend', (_request, reply, payload, done) => {
      reply.headers({ ...NO_SNIFFING, 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY' })
      done(null, payload)
    })
    scope.addHook('onRequest', refuseOtherSites)
    endpointRoutes(scope, parts, [...ENDPOINTS, ...extra])
    sessionRoutes(scope, parts)
    invitationRoutes(scope, parts)
    providerRoutes(scope, parts)
    scope.all('/console/api/*', { exposeHeadRoute: false }, (request, reply) =>
      send(request, reply, failed('NOT_FOUND', '没有这个接口', 'There is no such endpoint')),
    )
    parts.pages.serve(scope)
    // Every other path is a page. The page itself knows which one.
    for (const path of ['/console', '/console/*']) {
      scope.get(path, { exposeHeadRoute: false }, async (_request, reply) => sendPage(parts, reply))
    }
  })
}

/** Browsers say from which site a call comes; pages of other sites, also of this domain, have no business with the console's API. */
async function refuseOtherSites(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const site = request.headers['sec-fetch-site'] ?? 'same-origin'
  const isApi = request.routeOptions.url?.startsWith('/console/api/') ?? false
  if (!isApi || site === 'same-origin' || site === 'none') return
  return send(request, reply, failed('FORBIDDEN', '请求来自其他网站', 'The request comes from another site'))
}

function endpointRoutes(scope: FastifyInstance, parts: Parts, endpoints: ConsoleEndpoint[]): void {
  for (const endpoint of endpoints) {
    scope.route({
      method: endpoint.method,
      url: `/console/api/${endpoint.path}`,
      exposeHeadRoute: false,
      handler: async (request, reply) => {
        const answer = await respond(parts.world, endpoint, request, tokenOf(parts, request)).catch((error: unknown) =>
          broken(parts.world, request, error),
        )
        if (endpoint.action === 'session.end' && !(answer instanceof Failed)) {
          reply.clearCookie(parts.cookie.name, parts.cookie.with)
        }
        if (answer instanceof Departs) return send(request, reply, letDepart(parts, reply, answer))
        return send(request, reply, answer instanceof Began ? giveSession(parts, request, reply, answer) : answer)
      },
    })
  }
}

/** The two calls that need no session: asking for it, and beginning one. */
function sessionRoutes(scope: FastifyInstance, parts: Parts): void {
  const { world } = parts
  scope.get('/console/api/session', { exposeHeadRoute: false }, async (request, reply) => {
    const view = await sessionOf(world, request, tokenOf(parts, request)).catch((error: unknown) =>
      broken(world, request, error),
    )
    if (view instanceof Failed) return send(request, reply, view)
    return reply.header('cache-control', 'no-store').type('application/json; charset=utf-8').send(JSON.stringify(view))
  })

  scope.post('/console/api/session', (request, reply) => {
    const left = new AbortController()
    reply.raw.once('close', () => left.abort())
    const deviceToken = request.cookies[parts.device.name]
    return openCall(parts, [request, reply], (body) =>
      signedIn(world, request, { body, deviceToken, signal: left.signal }),
    )
  })
}

/** Null where the caller has no session. Every page asks this first, so it is no failure. */
async function sessionOf(world: World, request: FastifyRequest, token: Token): Promise<Session | null> {
  const user = token === undefined ? null : await userOf(world, token, request)
  const site = world.consoleRules.passkeySiteOf(request.host)
  return token === undefined || user === null ? null : sessionView(world, { token, user, site })
}

/** Signs in, and notes it in the audit log wherever the name exists. */
async function signedIn(
  world: World,
  request: FastifyRequest,
  call: Omit<SignInCall, 'address' | 'site'>,
): Promise<Began | Failed> {
  const site = world.consoleRules.passkeySiteOf(request.host)
  const { user, answer } = await signIn(world, { ...call, address: request.ip, site })
  if (user !== null) {
    const { username, mchNo } = user
    const outcome = answer instanceof Failed ? answer.failure.error : 'DONE'
    const entry = { username, address: request.ip, action: 'session.begin', mchNo, subject: username, detail: {} }
    await addAuditEntry(world, entry, outcome)
  }
  if (answer instanceof Began) await forgetEndedSessions(world)
  return answer
}

function sendPage({ world, pages }: Parts, reply: FastifyReply): FastifyReply {
  const page = pages.text('index.html')
  if (page === null) return pages.sendNotBuilt(reply)
  // The component library writes its styles at run time. The browser applies only those that carry this nonce.
  const nonce = world.newNonce()
  const style = `'self' 'nonce-${nonce}'`
  const headers = pageHeaders({ style, img: "'self' data:", font: "'self'", frameAncestors: "'none'" })
  return reply.headers(headers).send(page.replaceAll('__CSP_NONCE__', nonce))
}
