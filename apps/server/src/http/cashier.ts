/** The payer's page and what it asks. Whoever has the order's link may see it and pay; there is no other way in. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type ChannelName, INSTALLED, NEEDS_PAYER } from '@acopay/channels'
import type { OpenedWay } from '@acopay/protocol'
import { type OrderKey, readCashierViews } from '@acopay/store'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { openWayToPay } from '../actions/open-way-to-pay.ts'
import { offeredChannels, payerView } from '../cashier-view.ts'
import { cashierWatch } from '../cashier-watch.ts'
import type { World } from '../world.ts'
import { payerIn, payerSignInRoutes } from './payer-sign-in.ts'
import type { RateLimit } from './rate-limit.ts'

const PAGES = fileURLToPath(new URL('../../../cashier/dist/', import.meta.url))
const LINK = '/cashier/:mchNo/:transactionNo/:proof'
const HEARTBEAT_MS = 15_000
const YEAR_S = 31_536_000

type LinkPath = { Params: { mchNo: string; transactionNo: string; proof: string } }

/** `shells`: origins whose pages may show the cashier in a frame (the host script's). */
export function cashierRoutes(app: FastifyInstance, world: World, perAddress: RateLimit, shells: string[]): void {
  const csp = [
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'",
    `form-action 'none'; frame-ancestors ${["'self'", ...shells].join(' ')}`,
  ].join('; ')
  const pageHeaders = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': csp,
    'cache-control': 'no-store',
    // WeChat Pay's page for telephones opens only for visitors from a place it knows. The link itself stays here.
    'referrer-policy': 'strict-origin',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
  }
  const watch = cashierWatch(world)
  app.addHook('preClose', async () => watch.stop())

  app.register(fastifyStatic, {
    root: PAGES,
    prefix: '/cashier/',
    wildcard: false,
    index: false,
    globIgnore: ['*.html'],
    maxAge: YEAR_S * 1000,
    immutable: true,
    setHeaders: (reply, file) => {
      reply.header('x-content-type-options', 'nosniff')
      // It has no hash in its name: shells include it for good.
      if (file.endsWith('host.js')) reply.header('cache-control', 'public, max-age=300')
    },
  })

  /** Null: the link is wrong, or too many come from one address; the answer is sent. */
  async function ordered(
    request: FastifyRequest<{ Params: LinkPath['Params'] }>,
    reply: FastifyReply,
  ): Promise<OrderKey | null> {
    const { mchNo, transactionNo, proof } = request.params
    const key = { mchNo, transactionNo }
    if (!perAddress.allows(request.ip, null)) {
      await reply.code(429).header('retry-after', '1').send({ error: 'FREQUENCY_LIMIT' })
      return null
    }
    if (!world.isCashierProof(key, proof)) {
      await reply.callNotFound()
      return null
    }
    Object.assign(request.line, key)
    return key
  }
  const viewOf = async (key: OrderKey) => {
    const [order] = await readCashierViews(world.pool, [key])
    return order === undefined ? null : { ...payerView(order, world.now()), now: world.now().toISOString() }
  }

  app.get<LinkPath>(LINK, { exposeHeadRoute: false }, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const view = await viewOf(key)
    const page = pageText('index.html')
    if (view === null) return reply.callNotFound()
    if (page === null) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT)
    const order = { ...view, channels: await offeredChannels(world, key) }
    return reply.headers(pageHeaders).send(page.replace('{"order":null}', () => inlineJson({ order })))
  })

  /** Where the host script's frame begins: it hands over the signed parameters and goes on to the order's own page. */
  app.get('/cashier/pay', { exposeHeadRoute: false }, async (_request, reply) => {
    const page = pageText('pay.html')
    if (page === null) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT)
    return reply.headers(pageHeaders).send(page)
  })

  app.get<LinkPath>(`${LINK}/state`, { exposeHeadRoute: false }, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const view = await viewOf(key)
    return view === null ? reply.callNotFound() : reply.header('cache-control', 'no-store').send(view)
  })

  /** Server-sent events: the order whenever it changed, and a comment so that proxies keep the line. */
  app.get<LinkPath>(`${LINK}/events`, { exposeHeadRoute: false }, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const first = await viewOf(key)
    if (first === null) return reply.callNotFound()
    let told = ''
    const tell = (view: object): void => {
      const text = JSON.stringify(view)
      if (text === told) return
      told = text
      reply.raw.write(`data: ${JSON.stringify({ ...view, now: world.now().toISOString() })}\n\n`)
    }
    // Whoever has left meanwhile is told nothing, and said goodbye before anybody listened.
    if (reply.raw.destroyed) return reply
    const unwatch = watch.watch(key, (order) => tell(payerView(order, world.now())))
    if (unwatch === null) return reply.code(429).header('retry-after', '5').send({ error: 'FREQUENCY_LIMIT' })
    reply.hijack()
    reply.raw.writeHead(200, {
      ...{ 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' },
      'x-accel-buffering': 'no',
    })
    reply.raw.write('retry: 2000\n\n')
    const { now: _now, ...view } = first
    tell(view)
    const heart = setInterval(() => reply.raw.write(':\n\n'), HEARTBEAT_MS)
    const forget = watch.onEnd(() => reply.raw.end())
    reply.raw.on('close', () => {
      clearInterval(heart)
      unwatch()
      forget()
    })
  })

  payerSignInRoutes(app, world, LINK, ordered)

  app.post<LinkPath>(`${LINK}/attempts`, async (request, reply) => {
    const key = await ordered(request, reply)
    if (key === null) return reply
    const asked = readWay(request.body)
    if (asked === null) return reply.code(400).send({ error: 'FIELD_INVALID', field: 'channel' })
    const offered = (await offeredChannels(world, key)).find(({ channel }) => channel === asked.channel)
    if (!offered?.methods.includes(asked.method)) return reply.code(404).send({ error: 'UNAVAILABLE' })
    const { channel, method } = asked
    const openId = payerIn(world, key, channel, asked.payer)
    if (NEEDS_PAYER.has(method) && openId === null) return reply.code(401).send({ error: 'PAYER_UNKNOWN' })
    const payer = { returnUrl: world.cashierUrl(key.mchNo, key.transactionNo), payerIp: request.ip, openId }
    const way = await openWayToPay(world, key, { channel, method, payer })
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
        // The upstream said no: another way may work.
        if (state === 'SHUT') return reply.code(502).send({ error: 'UPSTREAM_REFUSED' })
        return reply.header('cache-control', 'no-store').send({
          ...({ channel, method, pay_url: payUrl, good_until: way.goodUntil.toISOString() } satisfies OpenedWay),
          // In the sandbox the page itself can be the payer (docs/sandbox.md).
          ...(world.isSandbox
            ? { sandbox: `/sandbox/${key.mchNo}/orders/${key.transactionNo}/attempts/${attemptNo}` }
            : {}),
        })
      }
    }
  })
}

const NOT_BUILT = '收银台页面尚未编译，请运行 npm run build (the cashier page is not built, run npm run build)\n'

const texts = new Map<string, string>()

/** A built page, read once; null where there is none. */
function pageText(name: string): string | null {
  const known = texts.get(name)
  if (known !== undefined) return known
  if (!existsSync(PAGES + name)) return null
  const text = readFileSync(PAGES + name, 'utf8')
  texts.set(name, text)
  return text
}

/** JSON that cannot end the script element it stands in. */
const inlineJson = (value: object): string => JSON.stringify(value).replaceAll('<', '\\u003c')

/** `payer`: what the sign-in gave the page, for the ways that need it. */
function readWay(body: unknown): { channel: ChannelName; method: string; payer: unknown } | null {
  try {
    const { channel, method, payer } = JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '') ?? {}
    const isKnown = typeof channel === 'string' && Object.hasOwn(INSTALLED, channel) && typeof method === 'string'
    return isKnown ? { channel: channel as ChannelName, method, payer } : null
  } catch {
    return null
  }
}
