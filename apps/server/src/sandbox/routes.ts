/**
 * Sandbox mode only (docs/sandbox.md): with these routes an integrator acts as the payer, the upstream and the network. They
 * take no signature, and a production gateway does not have them.
 */
import { isChannelName } from '@acopay/channels'
import { formatYuan } from '@acopay/core'
import { HEARD, NOT_HEARD, parseJson } from '@acopay/protocol'
import { findAttempt, findOrder } from '@acopay/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { startPayment } from '../actions/payment/start-payment.ts'
import type { World } from '../world.ts'
import type { SandboxClock } from './time.ts'
import { readFaults, type SandboxUpstreams } from './upstreams.ts'

type OrderPath = { Params: { mchNo: string; transactionNo: string } }
type AttemptPath = { Params: { mchNo: string; transactionNo: string; attemptNo: string; operation: string } }
type ChannelPath = { Params: { channel: string } }

/** Slow, but within the time-out of a notification. */
const SLOW_SHOP_MS = 3000

/** The sandbox's payer has no address of their own and no page to return to. */
const PAYER = { returnUrl: null, payerIp: '127.0.0.1', openId: 'sandbox-payer' }

export type SandboxParts = { world: World; upstreams: SandboxUpstreams; clock: SandboxClock }

export function sandboxRoutes(app: FastifyInstance, { world, upstreams, clock }: SandboxParts): void {
  payerRoutes(app, world, upstreams)
  shopRoute(app, world)
  upstreamRoutes(app, upstreams)
  timeRoutes(app, clock)
}

function timeRoutes(app: FastifyInstance, clock: SandboxClock): void {
  app.get('/sandbox/time', async () => clock.read())

  /** Moves the clock of all gateways on this database, and answers when it is there. */
  app.post('/sandbox/time', async (request, reply) => {
    const asked = parsed(textOf(request)) as { to?: unknown } | null
    const moved = await clock.move(asked?.to)
    if (moved === null) return reply.code(503).send({ error: '网关正在启动或停止 (the gateway starts or stops)' })
    return 'zh' in moved ? reply.code(400).send({ error: `${moved.zh} (${moved.en})` }) : moved
  })
}

function payerRoutes(app: FastifyInstance, world: World, upstreams: SandboxUpstreams): void {
  /** The payer chooses a channel and a method, which opens an attempt. */
  app.post<OrderPath>('/sandbox/:mchNo/orders/:transactionNo/attempts', async (request, reply) => {
    const { mchNo, transactionNo } = request.params
    const asked = new URL(request.url, 'http://sandbox').searchParams
    const channel = asked.get('channel') ?? 'wechat'
    if (!isChannelName(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const method = asked.get('method') ?? 'native'
    const started = await startPayment(world, { mchNo, ref: { transactionNo }, channel, method, payer: PAYER })
    if (started.kind === 'absent') return absent(reply, '此订单不存在 (no such order)')
    if (started.kind === 'unavailable') return absent(reply, '没有这种支付方式 (no such channel or method)')
    if (started.kind === 'refused') return reply.code(409).send({ error: started.why })
    const { attemptNo, state, payUrl } = started.attempt
    return { attempt_no: attemptNo, channel, method, state, pay_url: payUrl }
  })

  /** The payer, or the upstream, does something to an attempt. */
  app.post<AttemptPath>(
    '/sandbox/:mchNo/orders/:transactionNo/attempts/:attemptNo/:operation',
    async (request, reply) => {
      const { mchNo, transactionNo, attemptNo, operation } = request.params
      const attempt = await findAttempt(world.pool, mchNo, attemptNo)
      if (attempt === null || attempt.transactionNo !== transactionNo) {
        return absent(reply, '没有这次支付尝试 (no such attempt)')
      }
      const operate = ATTEMPT_OPERATIONS.get(operation)
      if (operate === undefined) return reply.callNotFound()
      if (operation !== 'expire') await upstreams.openInApp(attempt)
      const error = await operate(upstreams.of(attempt.channel).control, attemptNo)
      if (error !== null) return reply.code(409).send({ error })
      const order = await findOrder(world.pool, mchNo, { transactionNo })
      if (order === null) return absent(reply, '此订单不存在 (no such order)')
      return { attempt_no: attemptNo, order: order.state, amount_total: formatYuan(order.amountFen) }
    },
  )
}

function shopRoute(app: FastifyInstance, world: World): void {
  /** The test shop of the console's sandbox page: it acknowledges notifications at once, late, or never. */
  app.post<{ Params: { how: string } }>('/sandbox/shop/:how', async (request, reply) => {
    const { how } = request.params
    if (how === 'fail') return reply.code(500).send(NOT_HEARD)
    if (how === 'slow') await world.sleep(SLOW_SHOP_MS)
    return HEARD
  })
}

function upstreamRoutes(app: FastifyInstance, upstreams: SandboxUpstreams): void {
  /** How much an upstream took and returned for each attempt. */
  app.get<ChannelPath>('/sandbox/upstreams/:channel/taken', async (request, reply) => {
    const { channel } = request.params
    if (!isChannelName(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const taken = await upstreams.of(channel).control.taken()
    return taken.map(({ no, takenFen, returnedFen }) => ({
      attempt_no: no,
      taken_fen: takenFen,
      returned_fen: returnedFen,
    }))
  })

  /** Sets the faults that the upstream has from now on; an empty list ends them. */
  app.put<ChannelPath>('/sandbox/upstreams/:channel/faults', async (request, reply) => {
    const { channel } = request.params
    if (!isChannelName(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const faults = readFaults(parsed(textOf(request)))
    if (typeof faults === 'string') return reply.code(400).send({ error: faults })
    upstreams.faults(channel).set(faults)
    return faults
  })
}

type Control = ReturnType<SandboxUpstreams['of']>['control']

/** Operations on an attempt, by the last part of the path. Each returns null or an error code. */
const ATTEMPT_OPERATIONS = new Map<string, (control: Control, attemptNo: string) => Promise<string | null>>([
  ['expire', async (control, attemptNo) => control.expire(attemptNo).then(() => null)],
  ['scan', async (control, attemptNo) => ((await control.scan(attemptNo)) ? null : 'UPSTREAM_CLOSED')],
  ['give-back', async (control, attemptNo) => ((await control.giveBack(attemptNo)) ? null : 'NOTHING_TO_GIVE_BACK')],
  ['pay', async (control, attemptNo) => ((await control.pay(attemptNo)) === null ? 'UPSTREAM_CLOSED' : null)],
  [
    'pay-anyway',
    async (control, attemptNo) => ((await control.payAnyway(attemptNo)) === null ? 'UPSTREAM_CLOSED' : null),
  ],
])

const textOf = ({ body }: FastifyRequest): string => (Buffer.isBuffer(body) ? body.toString('utf8') : '')

function parsed(text: string): unknown {
  try {
    return parseJson(text)
  } catch {
    return null
  }
}

const absent = (reply: FastifyReply, error: string): FastifyReply => reply.code(404).send({ error })
