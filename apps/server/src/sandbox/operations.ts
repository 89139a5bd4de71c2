/**
 * Sandbox mode only: what a payer, an upstream, the network and a merchant can do to one test order. Each operation returns a
 * text that says what happened.
 */
import { type ChannelName, INSTALLED, isChannelName } from '@acopay/channels'
import { formatYuan, parseYuan } from '@acopay/core'
import type { SandboxDone } from '@acopay/protocol/console'
import { type Attempt, findAttempt, type Order } from '@acopay/store'
import { closeOrder } from '../actions/order/close-order.ts'
import { startPayment } from '../actions/payment/start-payment.ts'
import { refundOrder } from '../actions/refund/refund-order.ts'
import { type Failed, failed } from '../http/console/call.ts'
import type { World } from '../world.ts'
import type { SandboxUpstreams } from './upstreams.ts'

/** The order that an operation acts on, and what it needs to do so. */
export type Stage = { world: World; upstreams: SandboxUpstreams; order: Order }

/** The fields of an attempt that the operations need. */
export type OnAttempt = { channel: string; attemptNo: string }

type Result = Promise<SandboxDone | Failed>

const PAYER = { returnUrl: null, payerIp: '127.0.0.1', openId: 'sandbox-payer' }

export const done = (zh: string, en: string, more: Omit<SandboxDone, 'told'> = {}): SandboxDone => ({
  told: { zh, en },
  ...more,
})

export const missing = (field: string): Failed =>
  failed('FIELD_INVALID', `${field} 缺失或不属于此订单`, `${field} is missing or not of this order`, { field })

const controlOf = ({ upstreams }: Stage, channel: string) => upstreams.of(channel).control

/** Opens a payment code: the payer chooses a channel and a method. */
export async function open({ world, order }: Stage, channel: ChannelName, method: string): Result {
  const { mchNo, transactionNo } = order
  const started = await startPayment(world, { mchNo, ref: { transactionNo }, channel, method, payer: PAYER })
  if (started.kind === 'started') {
    const { attemptNo: attempt_no, payUrl: pay_url } = started.attempt
    return done('已打开支付码', 'A code is open', { attempt_no, pay_url })
  }
  return failed(
    'CONFLICT',
    '此订单不能再支付，或商户没有此渠道',
    'The order cannot be paid any more, or the merchant has no such channel',
  )
}

/** `pay_anyway` pays also where the upstream should refuse, as if the upstream broke its own rules. */
export async function pay(stage: Stage, { channel, attemptNo }: OnAttempt, how: 'pay' | 'pay_anyway') {
  const control = controlOf(stage, channel)
  const payment = await (how === 'pay' ? control.pay(attemptNo) : control.payAnyway(attemptNo))
  return payment === null
    ? done(
        '上游拒绝了这笔支付：支付码已关闭或过期',
        'The upstream refused the payment: the code is closed or has expired',
      )
    : done('付款人已付款', 'The payer has paid')
}

/** The merchant closes the order. */
export async function close({ world, order }: Stage): Promise<SandboxDone> {
  const { mchNo, transactionNo } = order
  const closed = await closeOrder(world, { mchNo, ref: { transactionNo }, by: 'MERCHANT', nonce: null })
  return closed.kind === 'answered' ? CLOSED[closed.outcome] : CLOSED.closing
}

const CLOSED: Record<'closed' | 'expired' | 'paid' | 'closing', SandboxDone> = {
  closed: done('订单已关闭，不会再被支付', 'The order is closed and will never be paid'),
  expired: done('订单已过期关闭', 'The order had expired and is closed'),
  paid: done('订单已支付，不能关闭', 'The order is paid and cannot be closed'),
  closing: done('关单中，网关会继续询问上游', 'The order is closing; the gateway goes on asking the upstream'),
}

/** The merchant closes while the payer pays: both start at the same moment. */
export async function closeAndPay(stage: Stage, attempt: OnAttempt): Promise<SandboxDone> {
  const [closed, paid] = await Promise.all([close(stage), pay(stage, attempt, 'pay')])
  return done(
    `同时关单与付款。关单：${closed.told.zh}；付款：${paid.told.zh}`,
    `Close and payment at the same time. Close: ${closed.told.en}; payment: ${paid.told.en}`,
  )
}

/** `amountFen` null refunds the whole order. */
export async function refund({ world, order }: Stage, amountFen: bigint | null): Result {
  const amount = amountFen === null ? order.amountFen : parseYuan(formatYuan(amountFen))
  if (amount === null) return missing('amount')
  const refunded = await refundOrder(world, {
    mchNo: order.mchNo,
    nonce: null,
    ref: { transactionNo: order.transactionNo },
    amountFen: amount,
    mchRefundNo: `test${world.newDigits(20)}`,
    reason: '沙箱退款',
    notifyUrl: order.notifyUrl,
  })
  return refunded.kind === 'refund'
    ? done('退款已提交', 'The refund is on its way')
    : failed('CONFLICT', '此订单不能退款，或金额超限', 'The order cannot be refunded, or the amount is too large')
}

/** Operations on one attempt of the order, by the name that the page sends. */
export const ATTEMPT_OPERATIONS = {
  scan: async (stage, { channel, attemptNo }) =>
    (await controlOf(stage, channel).scan(attemptNo))
      ? done('付款人已扫码', 'The payer has scanned the code')
      : done('扫码无效：支付码已关闭或过期', 'The scan failed: the code is closed or has expired'),
  give_back: async (stage, { channel, attemptNo }) =>
    (await controlOf(stage, channel).giveBack(attemptNo))
      ? done(
          '上游自行退了款；网关从次日的对账得知',
          "The upstream has refunded by itself; the gateway learns it from the next day's comparison",
        )
      : done('没有可退的付款', 'There is no payment to refund'),
  expire: async (stage, { channel, attemptNo }) => {
    await controlOf(stage, channel).expire(attemptNo)
    return done('支付码在上游已过期', 'The code has expired upstream')
  },
  pay: (stage, attempt) => pay(stage, attempt, 'pay'),
  pay_anyway: (stage, attempt) => pay(stage, attempt, 'pay_anyway'),
  close_and_pay: closeAndPay,
} as const satisfies Record<string, (stage: Stage, attempt: OnAttempt) => Promise<SandboxDone>>

export const CHANNELS = Object.keys(INSTALLED).filter(isChannelName)

/** Null where the number is missing or names an attempt of another order. */
export async function attemptOf({ world, order }: Stage, attemptNo: string | null): Promise<Attempt | null> {
  if (attemptNo === null) return null
  const attempt = await findAttempt(world.pool, order.mchNo, attemptNo)
  return attempt?.transactionNo === order.transactionNo ? attempt : null
}
