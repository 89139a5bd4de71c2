/**
 * Sandbox mode only (docs/sandbox.md): what a payer does, done by an integrator. Nothing here is signed; none of it
 * exists in production mode.
 */
import { INSTALLED, type SandboxBooks } from '@acopay/channels'
import { formatYuan } from '@acopay/core'
import { attemptsOf, findOrder, sandboxBooks } from '@acopay/store'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { startPayment } from '../actions/start-payment.ts'
import { takeMoney } from '../actions/take-money.ts'
import type { World } from '../world.ts'

type OrderPath = { Params: { mchNo: string; transactionNo: string } }
type AttemptPath = { Params: { mchNo: string; transactionNo: string; attemptNo: string } }

export function sandboxRoutes(app: FastifyInstance, world: World): void {
  const books: SandboxBooks = sandboxBooks(world.pool, world.now)

  /** The payer chooses a way to pay: an attempt is opened. */
  app.post<OrderPath>('/sandbox/:mchNo/orders/:transactionNo/attempts', async (request, reply) => {
    const { mchNo, transactionNo } = request.params
    const channel = Object.keys(INSTALLED)[0] as keyof typeof INSTALLED
    const started = await startPayment(world, {
      mchNo,
      ref: { transactionNo },
      channel,
      method: 'native',
      payer: NOBODY,
    })
    if (started.kind === 'absent') return absent(reply, '此订单不存在 (no such order)')
    if (started.kind === 'unavailable') return absent(reply, '没有这个渠道 (no such channel)')
    if (started.kind === 'refused') return reply.code(409).send({ error: started.why })
    const { attemptNo, state, payUrl } = started.attempt
    return { attempt_no: attemptNo, state, pay_url: payUrl }
  })

  /** The payer pays: the upstream takes the money and tells the gateway. */
  app.post<AttemptPath>('/sandbox/:mchNo/orders/:transactionNo/attempts/:attemptNo/pay', async (request, reply) => {
    const { mchNo, transactionNo, attemptNo } = request.params
    const order = await findOrder(world.pool, mchNo, { transactionNo })
    const attempts = order === null ? [] : await attemptsOf(world.pool, mchNo, transactionNo)
    if (!attempts.some((attempt) => attempt.attemptNo === attemptNo)) {
      return absent(reply, '没有这次支付尝试 (no such attempt)')
    }
    const payment = { paymentNo: `SB${world.newDigits(20)}`, paidAt: world.now(), payer: 'sandbox-payer' }
    const trade = await books.pay(mchNo, attemptNo, payment)
    if (trade === null) return absent(reply, '上游没有这笔交易 (the upstream has no such trade)')
    if (trade.payment === null) return reply.code(409).send({ error: 'UPSTREAM_CLOSED' })
    const taken = await takeMoney(world, { mchNo, transactionNo, attemptNo, payment: trade.payment })
    if (taken.kind !== 'answered') return absent(reply, '此订单不存在 (no such order)')
    return { attempt_no: attemptNo, order: taken.order.state, amount_total: formatYuan(taken.order.amountFen) }
  })
}

/** The sandbox's payer has no address and no page to come back to. */
const NOBODY = { returnUrl: null, payerIp: null, openId: null }

const absent = (reply: FastifyReply, error: string): FastifyReply => reply.code(404).send({ error })
