/**
 * Sandbox mode only (docs/sandbox.md): what a payer, chance and time do, done by an integrator. Nothing here is signed by a merchant; none of it exists in production mode.
 */
import { type ChannelName, INSTALLED } from '@acopay/channels'
import { formatYuan } from '@acopay/core'
import { HEARD, NOT_HEARD } from '@acopay/protocol'
import { findAttempt, findOrder } from '@acopay/store'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { startPayment } from '../actions/start-payment.ts'
import { readFaults, type SandboxUpstreams } from '../sandbox-upstreams.ts'
import type { World } from '../world.ts'

type OrderPath = { Params: { mchNo: string; transactionNo: string } }
type AttemptPath = { Params: { mchNo: string; transactionNo: string; attemptNo: string; deed: string } }
type ChannelPath = { Params: { channel: string } }

/** Late, and still heard. */
const SLOW_SHOP_MS = 3000

/** The sandbox's payer has no address and no page to come back to. */
const PAYER = { returnUrl: null, payerIp: '127.0.0.1', openId: 'sandbox-payer' }

export function sandboxRoutes(app: FastifyInstance, world: World, upstreams: SandboxUpstreams): void {
  /** The payer chooses a way to pay: an attempt is opened. */
  app.post<OrderPath>('/sandbox/:mchNo/orders/:transactionNo/attempts', async (request, reply) => {
    const { mchNo, transactionNo } = request.params
    const asked = new URL(request.url, 'http://sandbox').searchParams
    const channel = asked.get('channel') ?? 'wechat'
    if (!isChannel(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const method = asked.get('method') ?? 'native'
    const started = await startPayment(world, { mchNo, ref: { transactionNo }, channel, method, payer: PAYER })
    if (started.kind === 'absent') return absent(reply, '此订单不存在 (no such order)')
    if (started.kind === 'unavailable') return absent(reply, '没有这种支付方式 (no such channel or method)')
    if (started.kind === 'refused') return reply.code(409).send({ error: started.why })
    const { attemptNo, state, payUrl } = started.attempt
    return { attempt_no: attemptNo, channel, method, state, pay_url: payUrl }
  })

  /** What the payer, or bad luck, does with an attempt. */
  app.post<AttemptPath>('/sandbox/:mchNo/orders/:transactionNo/attempts/:attemptNo/:deed', async (request, reply) => {
    const { mchNo, transactionNo, attemptNo, deed } = request.params
    const attempt = await findAttempt(world.pool, mchNo, attemptNo)
    if (attempt === null || attempt.transactionNo !== transactionNo) {
      return absent(reply, '没有这次支付尝试 (no such attempt)')
    }
    const { control } = upstreams.of(attempt.channel as ChannelName)
    if (deed === 'expire') await control.expire(attemptNo)
    else if (deed === 'scan') {
      if (!(await control.scan(attemptNo))) return reply.code(409).send({ error: 'UPSTREAM_CLOSED' })
    } else if (deed === 'give-back') {
      if (!(await control.giveBack(attemptNo))) return reply.code(409).send({ error: 'NOTHING_TO_GIVE_BACK' })
    } else if (deed === 'pay' || deed === 'pay-anyway') {
      const payment = await (deed === 'pay' ? control.pay(attemptNo) : control.payAnyway(attemptNo))
      if (payment === null) return reply.code(409).send({ error: 'UPSTREAM_CLOSED' })
    } else return reply.callNotFound()
    const order = await findOrder(world.pool, mchNo, { transactionNo })
    if (order === null) return absent(reply, '此订单不存在 (no such order)')
    return { attempt_no: attemptNo, order: order.state, amount_total: formatYuan(order.amountFen) }
  })

  /** The test shop of the console's sandbox page: hears notifications well, late, or not at all. */
  app.post<{ Params: { how: string } }>('/sandbox/shop/:how', async (request, reply) => {
    const { how } = request.params
    if (how === 'fail') return reply.code(500).send(NOT_HEARD)
    if (how === 'slow') await world.sleep(SLOW_SHOP_MS)
    return HEARD
  })

  /** Everything an upstream took and sent back, by attempt. */
  app.get<ChannelPath>('/sandbox/upstreams/:channel/taken', async (request, reply) => {
    const { channel } = request.params
    if (!isChannel(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const taken = await upstreams.of(channel).control.taken()
    return taken.map(({ no, takenFen, returnedFen }) => ({
      attempt_no: no,
      taken_fen: takenFen,
      returned_fen: returnedFen,
    }))
  })

  /** What goes wrong from now on; an empty list ends it. */
  app.put<ChannelPath>('/sandbox/upstreams/:channel/faults', async (request, reply) => {
    const { channel } = request.params
    if (!isChannel(channel)) return absent(reply, '没有这个渠道 (no such channel)')
    const faults = readFaults(parsed(textOf(request)))
    if (typeof faults === 'string') return reply.code(400).send({ error: faults })
    upstreams.faults(channel).set(faults)
    return faults
  })
}

const isChannel = (name: string): name is ChannelName => Object.hasOwn(INSTALLED, name)

const textOf = ({ body }: FastifyRequest): string => (Buffer.isBuffer(body) ? body.toString('utf8') : '')

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const absent = (reply: FastifyReply, error: string): FastifyReply => reply.code(404).send({ error })
