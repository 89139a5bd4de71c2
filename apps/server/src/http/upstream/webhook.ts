/**
 * `POST /notify/:channel/:mchNo`: the upstreams' notifications of payments. Each channel verifies its own signatures. An address
 * whose notifications were forged too often is not listened to for a while.
 */
import { isChannelName } from '@acopay/channels'
import type { FastifyInstance } from 'fastify'
import { type Received, receiveWebhook } from '../../actions/payment/receive-webhook.ts'
import type { World } from '../../world.ts'
import { tooOften } from '../limit-addresses.ts'
import type { RateLimit } from '../rate-limit.ts'
import { WEBHOOK } from './webhook-path.ts'

type Path = { Params: { channel: string; mchNo: string } }

export function notificationRoutes(app: FastifyInstance, world: World, perAddress: RateLimit): void {
  app.post<Path>(WEBHOOK, async (request, reply) => {
    if (perAddress.isSpent(request.ip)) return tooOften(request, reply)
    const { channel, mchNo } = request.params
    if (!MCH_NO.test(mchNo)) return reply.callNotFound()
    request.line.mchNo = mchNo
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
    )
    const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
    const received = isChannelName(channel)
      ? await receiveWebhook(world, { mchNo, channel }, { headers, body }).catch((err: unknown) => {
          world.log.error({ mchNo, channel, err }, 'notification failed')
          return NOT_RECEIVED
        })
      : null
    if (received === null || received.isForged) perAddress.allows(request.ip, null)
    if (received === null) return reply.callNotFound()
    request.line.outcome = received.outcome
    if (received.transactionNo !== undefined) request.line.transactionNo = received.transactionNo
    return reply
      .code(received.reply.status)
      .header('content-type', received.reply.contentType)
      .send(received.reply.body)
  })
}

/** Every upstream sends a notification again after a 500. */
const NOT_RECEIVED: Received = {
  reply: { status: 500, contentType: 'text/plain', body: 'failure' },
  outcome: 'SYSTEM_ERROR',
}

const MCH_NO = /^[0-9A-Za-z_-]{1,32}$/
