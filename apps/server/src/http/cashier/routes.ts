/** The payer's page and the calls it makes. The order's link is the only permission: it allows to see the order and to pay. */

import { type ChannelName, isChannelName, NEEDS_PAYER } from '@acopay/channels'
import { movedText, type OpenedWay, parseJson } from '@acopay/protocol'
import { type OrderKey, readCashierApp, readCashierViews } from '@acopay/store/read'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { chooseMethod } from '../../actions/payment/choose-method.ts'
import type { World } from '../../world.ts'
import { pageHeaders } from '../page-headers.ts'
import { type StaticPages, staticPages } from '../static-pages.ts'
import { cashierWatch } from './events.ts'
import { type LostWhy, lostLink } from './lost-link.ts'
import { miniPayer, payerIn, payerSignInRoutes } from './payer-sign-in.ts'
import { receiptOf } from './receipt.ts'
import { logoRoute, shopOf } from './shop.ts'
import { offeredChannels, payerView } from './view.ts'

const LINK = '/cashier/:mchNo/:transactionNo/:proof'
const HEARTBEAT_MS = 15_000

const NOT_BUILT = '收银台页面尚未编译，请运行 npm run build (the cashier page is not built, run npm run build)\n'

type LinkPath = { Params: { mchNo: string; transactionNo: string; proof: string } }
type LinkRequest = FastifyRequest<LinkPath>

type Cashier = {
  world: World
  pages: StaticPages
  watch: ReturnType<typeof cashierWatch>
  /** Of the HTML pages. */
  headers: Record<string, string>
}

type OrderHandler = (cashier: Cashier, key: OrderKey, request: LinkRequest, reply: FastifyReply) => Promise<unknown>

/** Answers a payer whose link is wrong with a page. Null for every other caller. */
export type LostPage = (request: FastifyRequest, reply: FastifyReply) => FastifyReply | null

/** `shells`: origins whose pages may show the cashier in a frame (the host script's). */
export function cashierRoutes(app: FastifyInstance, world: World, shells: string[]): LostPage {
  const frameAncestors = ["'self'", ...shells].join(' ')
  const headers = {
    ...pageHeaders({ style: "'self'", img: "'self'", frameAncestors }),
    // WeChat Pay's page for phones opens only for visitors from a site that it knows, so the browser sends our origin.
    // It does not send the path, which holds the order's link.
    'referrer-policy': 'strict-origin',
  }
  const watch = cashierWatch(world)
  app.addHook('preClose', async () => watch.stop())
  const pages = staticPages(world, {
    app: 'cashier',
    notBuilt: NOT_BUILT,
    lasting: ['host.js', 'scripts.json'],
  })
  pages.serve(app)
  const cashier: Cashier = { world, pages, watch, headers }

  const forOrder = (handle: OrderHandler) => async (request: LinkRequest, reply: FastifyReply) => {
    const key = await provenOrder(cashier, request, reply)
    return key === null ? reply : handle(cashier, key, request, reply)
  }
  const get = { exposeHeadRoute: false }
  app.get<LinkPath>(LINK, get, forOrder(showOrder))
  app.get('/cashier/pay', get, async (_request, reply) => showPayPage(cashier, reply))
  app.get<LinkPath>(`${LINK}/state`, get, forOrder(sendState))
  app.get<LinkPath>(`${LINK}/events`, get, forOrder(streamEvents))
  app.get<LinkPath>(`${LINK}/receipt`, get, forOrder(showReceipt))
  app.post<LinkPath>(`${LINK}/attempts`, forOrder(openAttempt))
  logoRoute(app, world)
  payerSignInRoutes(app, world, LINK, (request, reply) => provenOrder(cashier, request, reply))
  return (request, reply) => sendLost(cashier, request, reply)
}

/**
 * The payer who holds a link that was bent on its way, and whose proof is right all the same, is sent to the order. All others see a page that
 * says what the link looks like: the same for every order, there or not, so that it tells strangers nothing.
 */
function sendLost(
  { world, pages, headers }: Cashier,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | null {
  const isBrowser = request.method === 'GET' && request.headers.accept?.includes('text/html') === true
  const page = isBrowser && request.url.startsWith('/cashier') ? pages.text('lost.html') : null
  if (page === null) return null
  const { why, parts } = lostLink(request.url)
  const isRight = parts !== null && world.isCashierProof(parts, parts.proof)
  if (request.line !== undefined) request.line.outcome = isRight ? 'MENDED' : '404'
  if (isRight) {
    const { mchNo, transactionNo, proof } = parts
    return reply.header('cache-control', 'no-store').redirect(`/cashier/${mchNo}/${transactionNo}/${proof}`, 302)
  }
  return reply
    .code(404)
    .headers(headers)
    .send(page.replace(LOST_WHY, `data-lost="${why}"`))
}

/** In the built page, whose style shows the text of one kind of mistake. */
const LOST_WHY = `data-lost="${'wrong' satisfies LostWhy}"`

/** The order of a link. Null where the link is wrong; then the answer is sent already. */
async function provenOrder({ world }: Cashier, request: LinkRequest, reply: FastifyReply): Promise<OrderKey | null> {
  const { mchNo, transactionNo, proof } = request.params
  const key = { mchNo, transactionNo }
  if (!world.isCashierProof(key, proof)) {
    await reply.callNotFound()
    return null
  }
  Object.assign(request.line, key)
  return key
}

async function viewOf(world: World, key: OrderKey) {
  const [order] = await readCashierViews(world.pool, [key])
  if (order === undefined) return null
  return { ...payerView(order, world.sureNow()), ...bandOf(world), now: world.now().toISOString() }
}

/** What the band at the top of the page says of a sandbox's clock that was moved. */
function bandOf(world: World): { moved?: string } {
  const moved = movedText(Math.round(world.aheadMs() / 1000))
  return moved === '' ? {} : { moved }
}

/** The order's page, with the order's state, the ways to pay and the shop written into it. */
const showOrder: OrderHandler = async ({ world, pages, headers }, key, _request, reply) => {
  const [view, app] = await Promise.all([viewOf(world, key), readCashierApp(world.pool, key)])
  const page = pages.text('index.html')
  if (view === null) return reply.callNotFound()
  if (page === null) return pages.sendNotBuilt(reply)
  const channels = await offeredChannels(world, key.mchNo, app?.channels ?? null)
  const order = { ...view, channels, shop: shopOf(key.mchNo, app) }
  return reply.headers(headers).send(page.replace('{"order":null}', () => inlineJson({ order })))
}

const showReceipt: OrderHandler = async ({ world, pages, headers }, key, _request, reply) => {
  const receipt = await receiptOf(world, key)
  const page = pages.text('receipt.html')
  if (receipt === null) return reply.callNotFound()
  if (page === null) return pages.sendNotBuilt(reply)
  return reply.headers(headers).send(page.replace('{"receipt":null}', () => inlineJson({ receipt })))
}

/** JSON that cannot end the script element around it. */
const inlineJson = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** The first page in the host script's frame: it posts the signed parameters and goes on to the order's own page. */
function showPayPage({ pages, headers }: Cashier, reply: FastifyReply): FastifyReply {
  const page = pages.text('pay.html')
  return page === null ? pages.sendNotBuilt(reply) : reply.headers(headers).send(page)
}

const sendState: OrderHandler = async ({ world }, key, _request, reply) => {
  const view = await viewOf(world, key)
  return view === null ? reply.callNotFound() : reply.header('cache-control', 'no-store').send(view)
}

/** Server-sent events: the order each time it changes. A comment in between keeps proxies from cutting the connection. */
const streamEvents: OrderHandler = async ({ world, watch }, key, _request, reply) => {
  const first = await viewOf(world, key)
  if (first === null) return reply.callNotFound()
  let sent = ''
  const send = (view: object): void => {
    const text = JSON.stringify(view)
    if (text === sent) return
    sent = text
    reply.raw.write(`data: ${JSON.stringify({ ...view, now: world.now().toISOString() })}\n\n`)
  }
  // The client may have disconnected while we read the order. Then its `close` event is over, and no handler would run.
  if (reply.raw.destroyed) return reply
  const unwatch = watch.watch(key, (order) => send({ ...payerView(order, world.sureNow()), ...bandOf(world) }))
  if (unwatch === null) return reply.code(429).header('retry-after', '5').send({ error: 'FREQUENCY_LIMIT' })
  reply.hijack()
  reply.raw.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    // A stream that ends when the gateway stops leaves no connection to wait for.
    connection: 'close',
  })
  reply.raw.write('retry: 2000\n\n')
  const { now: _now, ...view } = first
  send(view)
  const heart = setInterval(() => reply.raw.write(':\n\n'), HEARTBEAT_MS)
  const forget = watch.onEnd(() => reply.raw.end())
  reply.raw.on('close', () => {
    clearInterval(heart)
    unwatch()
    forget()
  })
  return reply
}

/** The payer chose a way to pay: an attempt is opened, and the answer tells what the page shows. */
const openAttempt: OrderHandler = async ({ world }, key, request, reply) => {
  const asked = readWay(request.body)
  if (asked === null) return reply.code(400).send({ error: 'FIELD_INVALID', field: 'channel' })
  const { channel, method } = asked
  const ofApp = (await readCashierApp(world.pool, key))?.channels ?? null
  const offered = (await offeredChannels(world, key.mchNo, ofApp)).find((one) => one.channel === channel)
  const isMini = method === 'mini' && offered !== undefined
  if (!isMini && !offered?.methods.includes(method)) return reply.code(404).send({ error: 'UNAVAILABLE' })
  const openId = isMini
    ? await miniPayer(world, { mchNo: key.mchNo, channel }, asked.code)
    : payerIn(world, key, channel, asked.payer)
  if (NEEDS_PAYER.has(method) && openId === null) return reply.code(401).send({ error: 'PAYER_UNKNOWN' })
  const payer = { returnUrl: world.cashierUrl(key.mchNo, key.transactionNo), payerIp: request.ip, openId }
  const way = await chooseMethod(world, key, { channel, method, payer })
  switch (way.kind) {
    case 'absent':
      return reply.callNotFound()
    case 'refused':
      return reply.code(409).send({ error: way.why })
    case 'unavailable':
      return reply.code(404).send({ error: 'UNAVAILABLE' })
    case 'too_many':
      return reply.code(429).send({ error: 'TOO_MANY_ATTEMPTS' })
    case 'started': {
      const { attemptNo, state, payUrl } = way.attempt
      // The upstream refused this attempt; another way to pay may work.
      if (state === 'SHUT') return reply.code(502).send({ error: 'UPSTREAM_REFUSED' })
      const opened: OpenedWay = { channel, method, pay_url: payUrl, good_until: way.goodUntil.toISOString() }
      // In the sandbox the page itself can be the payer (docs/sandbox.md).
      const sandbox = `/sandbox/${key.mchNo}/orders/${key.transactionNo}/attempts/${attemptNo}`
      return reply.header('cache-control', 'no-store').send(world.isSandbox ? { ...opened, sandbox } : opened)
    }
  }
}

/**
 * Null for a body that names no channel and method. `payer` is the token that the sign-in gave the page, `code` the one that the
 * wallet gave a mini-program.
 */
function readWay(body: unknown): { channel: ChannelName; method: string; payer: unknown; code: unknown } | null {
  try {
    const { channel, method, payer, code } = (parseJson(Buffer.isBuffer(body) ? body.toString('utf8') : '') ??
      {}) as Record<string, unknown>
    const isKnown = typeof channel === 'string' && isChannelName(channel) && typeof method === 'string'
    return isKnown ? { channel, method, payer, code } : null
  } catch {
    return null
  }
}
