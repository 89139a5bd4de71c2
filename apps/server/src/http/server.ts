/** Builds the HTTP server. Every call of the transactions API goes through `respond`, read it from top to bottom. */
import { randomUUID } from 'node:crypto'
import { BASE_PATH, isRefusal, type JsonObject, type Refusal, refuse, signedBody, unsignedBody } from '@acopay/protocol'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { World } from '../world.ts'
import { cashierRoutes, type LostPage } from './cashier/routes.ts'
import { boundConnections, SILENT_MS } from './connections.ts'
import type { ConsoleEndpoint } from './console/call.ts'
import { consoleRoutes } from './console/routes.ts'
import { healthRoutes } from './health.ts'
import { limitAddresses } from './limit-addresses.ts'
import { billFileRoutes } from './merchant/bill-file.ts'
import { callsEndpoint } from './merchant/calls.ts'
import { evidenceEndpoint } from './merchant/close-evidence.ts'
import { closeEndpoint } from './merchant/close-order.ts'
import type { Caller, Endpoint, Result } from './merchant/exchange.ts'
import { identify } from './merchant/identify.ts'
import { ordersEndpoint, refundsEndpoint } from './merchant/lists.ts'
import { callNoter } from './merchant/note-call.ts'
import { notificationsEndpoint, notificationTriesEndpoint, resendEndpoint } from './merchant/notifications.ts'
import { openApiRoute } from './merchant/openapi.ts'
import { placeEndpoint } from './merchant/place-order.ts'
import { billEndpoint } from './merchant/query-bill.ts'
import { queryEndpoint } from './merchant/query-order.ts'
import { queryRefundEndpoint } from './merchant/query-refund.ts'
import { readBody, readQuery } from './merchant/read-params.ts'
import { refundEndpoint } from './merchant/refund-order.ts'
import { metricsRoute, metricsText } from './metrics.ts'
import { type RateLimit, rateLimit } from './rate-limit.ts'
import { referenceRoutes } from './reference.ts'
import { tellOf } from './request-line.ts'
import { standingHeaders } from './standing-headers.ts'
import type { LimitShare, Together } from './together.ts'
import { traceRequests } from './tracing.ts'
import { notificationRoutes } from './upstream/webhook.ts'

const ENDPOINTS: Endpoint[] = [
  closeEndpoint,
  evidenceEndpoint,
  placeEndpoint,
  queryEndpoint,
  refundEndpoint,
  queryRefundEndpoint,
  billEndpoint,
  ordersEndpoint,
  refundsEndpoint,
  notificationsEndpoint,
  notificationTriesEndpoint,
  resendEndpoint,
  callsEndpoint,
]

/** The largest request body that is read: about ten times what all fields of the contract need together. */
const BODY_BYTES_MAX = 64 * 1024

/** Callers give up after 10 s. Whatever the gateway waits for by then, they are told 1500 before. */
const ANSWER_MS = 9000

const JSON_TYPE = 'application/json; charset=utf-8'

export type HttpOptions = {
  ratePerAddress: number
  ratePerMerchant: number
  trustedProxies: number
  /** The address that callers know; null where the gateway is called at the address it listens on. */
  publicUrl: string | null
  /** Origins whose pages may show the cashier in a frame. */
  shellOrigins: string[]
  /** Null: there is no /metrics here. */
  metricsToken: string | null
  /** Absent where this process is the whole gateway. */
  together?: Together
  /** Absent where this process shares its limits with no other. */
  share?: LimitShare
}

/** Routes that only some gateways have, such as the sandbox's. The code that starts a gateway passes them in. */
export type ExtraRoutes = {
  consoleEndpoints: ConsoleEndpoint[]
  register: (app: FastifyInstance) => void
}

export const NO_EXTRA_ROUTES: ExtraRoutes = { consoleEndpoints: [], register: () => {} }

export function buildServer(world: World, options: HttpOptions, extra: ExtraRoutes): FastifyInstance {
  const nowMs = () => world.now().getTime()
  const { together, share } = options
  const perAddress = rateLimit(options.ratePerAddress, nowMs, share?.('address'))
  const perMerchant = rateLimit(options.ratePerMerchant, nowMs, share?.('merchant'))
  // The pages that payers of a broken link see are known once the cashier's routes are there.
  const lost: { page: LostPage } = { page: () => null }
  const app = newApp(options, lost)
  // Before the routes: the answer to a wrong method lists the methods of the path.
  const methods = methodsByPath(app)
  addHooks(app, world)
  standingHeaders(app, world, options.publicUrl)
  limitAddresses(app, perAddress)
  boundConnections(app, world, together === undefined ? 'by the system' : 'by this process')
  for (const endpoint of ENDPOINTS) {
    app.route({
      method: endpoint.method,
      url: BASE_PATH + endpoint.path,
      exposeHeadRoute: false,
      config: { call: endpoint.path },
      handler: async (request, reply) => {
        reply.header('content-type', JSON_TYPE)
        return inTime(world, request, respond({ world, endpoint, perMerchant }, request, reply))
      },
    })
  }
  healthRoutes(app, world)
  if (options.metricsToken !== null) {
    metricsRoute(app, world, { token: options.metricsToken, text: together?.metricsText ?? metricsText(world) })
  }
  openApiRoute(app, options.publicUrl)
  referenceRoutes(app, world)
  notificationRoutes(app, world, perAddress)
  billFileRoutes(app, world)
  lost.page = cashierRoutes(app, world, options.shellOrigins)
  consoleRoutes(app, world, options, extra.consoleEndpoints)
  extra.register(app)
  addErrorHandlers(app, world, { methods, lostPage: lost.page })
  return app
}

function newApp(options: HttpOptions, lost: { page: LostPage }): FastifyInstance {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    logger: false,
    genReqId: () => randomUUID(),
    trustProxy: (_address, hop) => hop < options.trustedProxies,
    requestTimeout: 15_000,
    connectionTimeout: SILENT_MS,
    // While the server stops, requests on open connections still get their normal answers.
    return503OnClosing: false,
    routerOptions: { querystringParser: () => ({}) },
    // A path that cannot be decoded is a broken link of a payer too.
    frameworkErrors: (_error, request, reply) => void (lost.page(request, reply) ?? plain(request, reply, 404)),
  })
  // Keep every body as raw bytes, whatever its content type: signatures are verified over the bytes that were sent.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  return app
}

/** The methods of each path, for 405 answers and their Allow header. The router would read the path as a pattern. */
function methodsByPath(app: FastifyInstance): Map<string, string[]> {
  const methods = new Map<string, string[]>()
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, [methods.get(url) ?? [], method].flat())
  })
  return methods
}

function addHooks(app: FastifyInstance, world: World): void {
  app.decorateRequest('line')
  app.decorateRequest('call', null)
  app.addHook('onRequest', async (request) => {
    request.line = {}
    // Fastify would answer 415 for a content type that it cannot read: it does not see it, and keeps the body as bytes.
    if (request.mediaType === undefined) delete request.headers['content-type']
  })
  const noteCall = callNoter(world)
  traceRequests(app, world, (request, reply) => {
    tellOf(world, request, reply)
    noteCall(request, reply)
  })
  app.addHook('onSend', (_request, reply, payload, done) => {
    // Callers that keep their connections open take another one, which leads to another process or is refused, and never break off.
    if (isEnding(world.phase())) reply.header('connection', 'close')
    done(null, payload)
  })
}

const isEnding = (phase: ReturnType<World['phase']>): boolean => phase === 'leaving' || phase === 'stopping'

type NotFound = { methods: Map<string, string[]>; lostPage: LostPage }

function addErrorHandlers(app: FastifyInstance, world: World, { methods, lostPage }: NotFound): void {
  app.setNotFoundHandler((request, reply) => {
    const allowed = methods.get(request.url.split('?', 1)[0] as string)
    if (allowed !== undefined) return plain(request, reply.header('allow', allowed.join(', ')), 405)
    return lostPage(request, reply) ?? plain(request, reply, 404)
  })
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 400 && status < 500) return plain(request, reply, status)
    world.log.error({ requestId: request.id, err: error }, 'request failed')
    request.line.outcome = 'SYSTEM_ERROR'
    return reply.header('content-type', JSON_TYPE).send(unsignedBody(refuse('SYSTEM_ERROR')))
  })
}

type Served = { world: World; endpoint: Endpoint; perMerchant: RateLimit }

/**
 * The body of the answer, or 1500 when it takes too long: what is under way then goes on, and the caller may ask again. Fastify's
 * own `handlerTimeout` ends with the request's body on a real connection.
 */
async function inTime(world: World, request: FastifyRequest, body: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => {
      world.log.error({ mchNo: request.line.mchNo }, 'no answer in time')
      request.line.outcome = 'SYSTEM_ERROR'
      resolve(unsignedBody(refuse('SYSTEM_ERROR')))
    }, ANSWER_MS)
  })
  try {
    return await Promise.race([body, late])
  } finally {
    clearTimeout(timer)
  }
}

/** The body of the answer. */
async function respond(
  { world, endpoint, perMerchant }: Served,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<string> {
  const { params, apart } = endpoint.method === 'GET' ? readQuery(request.url) : readBody(request.body)
  const identified = await identify(
    world,
    { headers: request.headers, address: request.ip, params, apart, bodySigned: endpoint.bodySigned },
    perMerchant,
  )
  const { seen } = identified
  const call = seen && {
    endpoint,
    seen,
    params,
    answer: identified.refusal,
    transactionNo: undefined as string | undefined,
  }
  request.call = call
  if (identified.proven === null) return refuseStranger(request, identified.refusal)
  const { proven: caller, refusal } = identified
  request.line.mchNo = caller.mchNo

  const { answer, transactionNo, way } = await resultOf({ world, endpoint }, caller, {
    params: params ?? {},
    refusal,
  }).catch((error: unknown): Result => {
    world.log.error({ mchNo: caller.mchNo, err: error }, 'request failed')
    return { answer: refuse('SYSTEM_ERROR') }
  })
  request.line.outcome = isRefusal(answer) ? answer.refused : (answer.code ?? 'SUCCESS')
  if (transactionNo !== undefined) request.line.transactionNo = transactionNo
  if (way !== undefined) request.line.way = way
  request.call = call && { ...call, answer, transactionNo }
  const { keyId, sign } = world.signingKey()
  // Which key verifies this answer: the protocol has no member for it, and clients pass over headers they do not know.
  reply.header('x-acopay-platform-key', keyId)
  return signedBody(answer, { mchNo: caller.mchNo, nonce: world.newNonce(), sign })
}

type Asked = { params: JsonObject; refusal: Refusal | null }

/**
 * A query's nonce is stored before its answer leaves: neither who sees the headers then, nor who sees the answer, can close the
 * order with them. Requests that change something store it with their change.
 */
async function resultOf(
  { world, endpoint }: Pick<Served, 'world' | 'endpoint'>,
  caller: Caller,
  { params, refusal }: Asked,
): Promise<Result> {
  const { mchNo, nonce } = caller
  const remembered = endpoint.method === 'GET' && nonce !== null ? world.rememberNonce(mchNo, nonce) : null
  const [result] = await Promise.all([
    refusal === null ? endpoint.handle(world, caller, params) : { answer: refusal },
    remembered,
  ])
  return result
}

function refuseStranger(request: FastifyRequest, refusal: Refusal): string {
  request.line.outcome = refusal.refused
  return unsignedBody(refusal)
}

const PLAIN_TEXTS: Record<number, string> = {
  404: '没有这个地址 (no such path)',
  405: '此地址不支持该方法 (method not allowed)',
  413: `请求体不能超过 ${BODY_BYTES_MAX} 字节 (body too large)`,
}

function plain(request: FastifyRequest, reply: FastifyReply, status: number): FastifyReply {
  if (request.line !== undefined) request.line.outcome = String(status)
  return reply
    .code(status)
    .header('content-type', 'text/plain; charset=utf-8')
    .send(`${PLAIN_TEXTS[status] ?? '请求无效 (bad request)'}\n`)
}
