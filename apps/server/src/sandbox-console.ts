/**
 * Sandbox mode only: the console's sandbox page (docs/sandbox.md). One click each for what a payer, an upstream, a network
 * and a merchant do to a test order, so that every race can be seen to happen.
 */
import { type ChannelName, INSTALLED } from '@acopay/channels'
import { formatYuan, parseYuan } from '@acopay/core'
import type { SandboxDemo, SandboxDone, SandboxOrder } from '@acopay/protocol/console'
import { findAttempt, type Order, ownApp } from '@acopay/store'
import { closeOrder } from './actions/close-order.ts'
import { placeOrder } from './actions/place-order.ts'
import { refundOrder } from './actions/refund-order.ts'
import { startPayment } from './actions/start-payment.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed } from './http/console/call.ts'
import { fieldsOf } from './http/console/fields.ts'
import { orderOf } from './http/console/orders.ts'
import { DEMO, readDemo } from './sandbox-seed.ts'
import { readFaults, type SandboxUpstreams } from './sandbox-upstreams.ts'
import { sandboxView } from './sandbox-view.ts'
import type { World } from './world.ts'

/** How the test shop answers its notifications; the paths are those of http/sandbox.ts. */
const SHOPS = ['ok', 'slow', 'fail'] as const
const DEEDS = [
  ...(['open', 'scan', 'pay', 'pay_anyway', 'expire', 'close', 'close_twice', 'close_and_pay', 'refund'] as const),
  'scenario',
] as const
const SCENARIOS = ['late_payment', 'two_codes_paid', 'lost_close_answer', 'paid_while_closing'] as const
const PAYER = { returnUrl: null, payerIp: '127.0.0.1', openId: 'sandbox-payer' }

const done = (zh: string, en: string, more: Omit<SandboxDone, 'told'> = {}): SandboxDone => ({
  told: { zh, en },
  ...more,
})

async function place(world: World, { caller, body }: ConsoleCall): Promise<SandboxOrder | Failed> {
  const read = fieldsOf(body)
  const amountFen = read.yuan('amount')
  if (amountFen === null) read.say('amount', '不能为空', 'is missing')
  const description = read.needed('description', 127)
  const shop = read.word('notify', SHOPS) ?? 'ok'
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const mchNo = caller.mchNo ?? DEMO.mchNo
  const appNo = await ownApp(world.pool, mchNo)
  if (appNo === null) return failed('CONFLICT', '商户没有可用的应用', 'The merchant has no app in use')
  const { origin } = new URL(world.notifyUrl(mchNo, 'wechat'))
  const placed = await placeOrder(world, {
    ...{ mchNo, appNo, mchTradeNo: `test${world.newDigits(20)}`, description, askedExpire: null, extra: null },
    amountFen: parseYuan(formatYuan(amountFen ?? 0n)) as NonNullable<ReturnType<typeof parseYuan>>,
    ...{ notifyUrl: `${origin}/sandbox/shop/${shop}`, nonce: null },
  })
  if (placed.kind !== 'placed')
    return failed('CONFLICT', '下单失败，请重试', 'The order could not be placed; try again')
  return { mch_no: mchNo, transaction_no: placed.order.transactionNo }
}

/** Everything that can be done to one order; each says what happened in words. */
function deedsOn(world: World, upstreams: SandboxUpstreams, order: Order) {
  const { mchNo, transactionNo } = order
  const key = { mchNo, ref: { transactionNo } }
  const controlOf = (channel: string) => upstreams.of(channel as ChannelName).control
  const open = async (channel: ChannelName, method: string): Promise<SandboxDone | Failed> => {
    const started = await startPayment(world, { ...key, channel, method, payer: PAYER })
    if (started.kind === 'started') {
      const { attemptNo: attempt_no, payUrl: pay_url } = started.attempt
      return done('已打开支付码', 'A code is open', { attempt_no, pay_url })
    }
    return failed(
      'CONFLICT',
      '此订单不能再支付，或商户没有此渠道',
      'It cannot be paid any more, or there is no such channel',
    )
  }
  const pay = async (channel: string, attemptNo: string, deed: 'pay' | 'pay_anyway') => {
    const control = controlOf(channel)
    const payment = await (deed === 'pay' ? control.pay(attemptNo) : control.payAnyway(attemptNo))
    return payment === null
      ? done('上游拒绝了这笔支付：支付码已关闭或过期', 'The upstream refused: the code is closed or over')
      : done('付款人已付款', 'The payer has paid')
  }
  const close = async (): Promise<SandboxDone> => {
    const closed = await closeOrder(world, { ...key, by: 'MERCHANT', nonce: null })
    return closed.kind === 'answered' ? CLOSED[closed.outcome] : CLOSED.closing
  }
  const scenarios = {
    async late_payment() {
      const opened = await open('wechat', 'native')
      if (opened instanceof Failed) return opened
      await close()
      await pay('wechat', opened.attempt_no ?? '', 'pay_anyway')
      return done(
        '订单关闭之后上游仍收了钱：网关正在自动退回',
        'The upstream took money after the close: it goes back by itself',
      )
    },
    async two_codes_paid() {
      const [first, second] = [await open('wechat', 'native'), await open('alipay', 'native')]
      if (first instanceof Failed) return first
      if (second instanceof Failed) return second
      await Promise.all([pay('wechat', first.attempt_no ?? '', 'pay'), pay('alipay', second.attempt_no ?? '', 'pay')])
      return done(
        '两个支付码都被付款：订单只保留一笔，另一笔退回',
        'Both codes were paid: one is kept, the other goes back',
      )
    },
    async lost_close_answer() {
      const opened = await open('wechat', 'native')
      if (opened instanceof Failed) return opened
      const tradeNo = opened.attempt_no ?? ''
      const faults = upstreams.faults('wechat')
      faults.set([...faults.list(), { kind: 'lost_answer', verb: 'close', tradeNo, times: 1 }])
      const said = await close()
      return done(
        `上游的关单应答丢失，网关再次查询：${said.told.zh}`,
        `The answer to the close was lost, so it is asked: ${said.told.en}`,
      )
    },
    async paid_while_closing() {
      const opened = await open('wechat', 'native')
      if (opened instanceof Failed) return opened
      return closeAndPay('wechat', opened.attempt_no ?? '')
    },
  }
  const closeAndPay = async (channel: string, attemptNo: string): Promise<SandboxDone> => {
    const [closed, paid] = await Promise.all([close(), pay(channel, attemptNo, 'pay')])
    return done(
      `同时关单与付款。关单：${closed.told.zh}；付款：${paid.told.zh}`,
      `Both at once. Close: ${closed.told.en}; payment: ${paid.told.en}`,
    )
  }
  return { open, pay, close, closeAndPay, controlOf, scenarios }
}

const CLOSED: Record<'closed' | 'expired' | 'paid' | 'closing', SandboxDone> = {
  closed: done('订单已关闭，不会再被支付', 'The order is closed and will never be paid'),
  expired: done('订单已过期关闭', 'The order had expired and is closed'),
  paid: done('订单已支付，不能关闭', 'The order is paid and cannot be closed'),
  closing: done('关单中，网关会继续询问上游', 'It is closing; the gateway goes on asking'),
}

async function deed(world: World, upstreams: SandboxUpstreams, call: ConsoleCall): Promise<SandboxDone | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const read = fieldsOf(call.body)
  const asked = read.word('deed', DEEDS)
  if (asked === null) read.say('deed', '不能为空', 'is missing')
  const channel = read.word('channel', Object.keys(INSTALLED) as ChannelName[])
  const method = read.text('method', 32)
  const attemptNo = read.text('attempt_no', 38)
  const scenario = read.word('scenario', SCENARIOS)
  const amount = read.yuan('amount')
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const on = deedsOn(world, upstreams, order)
  switch (asked) {
    case 'open':
      return on.open(channel ?? 'wechat', method ?? 'native')
    case 'close':
      return on.close()
    case 'close_twice':
      return (await Promise.all([on.close(), on.close()]))[0]
    case 'refund':
      return refund(world, order, amount)
    case 'scenario':
      return scenario === null ? missing('scenario') : on.scenarios[scenario]()
  }
  // What is left acts on an attempt of this order.
  const attempt = attemptNo === null ? null : await attemptOf(world, order, attemptNo)
  if (attempt === null) return missing('attempt_no')
  switch (asked) {
    case 'scan':
      return (await on.controlOf(attempt.channel).scan(attempt.attemptNo))
        ? done('付款人已扫码', 'The payer has scanned')
        : done('扫码无效：支付码已关闭或过期', 'Nothing to scan: the code is closed or over')
    case 'expire':
      await on.controlOf(attempt.channel).expire(attempt.attemptNo)
      return done('支付码在上游已过期', 'The code has expired upstream')
    case 'close_and_pay':
      return on.closeAndPay(attempt.channel, attempt.attemptNo)
    case 'pay':
    case 'pay_anyway':
      return on.pay(attempt.channel, attempt.attemptNo, asked)
    case null:
      return missing('deed')
  }
}

const missing = (field: string): Failed =>
  failed('FIELD_INVALID', `${field} 缺失或不属于此订单`, `${field} is missing or not of this order`, { field })

async function refund(world: World, order: Order, amount: bigint | null): Promise<SandboxDone | Failed> {
  const amountFen = amount === null ? order.amountFen : parseYuan(formatYuan(amount))
  if (amountFen === null) return missing('amount')
  const refunded = await refundOrder(world, {
    ...{ mchNo: order.mchNo, nonce: null, ref: { transactionNo: order.transactionNo }, amountFen },
    ...{ mchRefundNo: `test${world.newDigits(20)}`, reason: '沙箱退款', notifyUrl: order.notifyUrl },
  })
  return refunded.kind === 'refund'
    ? done('退款已提交', 'The refund is on its way')
    : failed('CONFLICT', '此订单不能退款，或金额超限', 'It cannot be refunded, or not so much of it')
}

async function attemptOf(world: World, { mchNo, transactionNo }: Order, attemptNo: string) {
  const attempt = await findAttempt(world.pool, mchNo, attemptNo)
  return attempt?.transactionNo === transactionNo ? attempt : null
}

function demoOf(home: string, { mchNo }: Caller): SandboxDemo | Failed {
  if (mchNo !== null && mchNo !== DEMO.mchNo)
    return failed('NOT_FOUND', '只有演示商户有演示密钥', 'Only the demo merchant has a demo key')
  const demo = readDemo(home)
  if (demo === null) return failed('NOT_FOUND', '没有演示商户的设置', "The demo merchant's settings are not there")
  return {
    ...{ mch_no: demo.mchNo, app_no: demo.appNo, private_key: demo.mchPrivateKey },
    platform_public_key: demo.platformPublicKey,
  }
}

const ORDER = 'sandbox/orders/:mch_no/:transaction_no/deeds'
const NO_CHANNEL = () => failed('NOT_FOUND', '没有这个渠道', 'There is no such channel')

/** `home`: where the demo merchant's settings lie. */
export function sandboxConsole(upstreams: SandboxUpstreams, home: string): ConsoleEndpoint[] {
  const faultsOf = ({ path: { channel = '' } }: ConsoleCall) =>
    Object.hasOwn(INSTALLED, channel) ? upstreams.faults(channel as ChannelName) : null
  return [
    // With its private key, which protects no money: the API explorer signs with it.
    {
      method: 'GET',
      path: 'sandbox/demo',
      permission: 'sandbox.use',
      handle: async (_world, { caller }) => demoOf(home, caller),
    },
    { method: 'POST', path: 'sandbox/orders', permission: 'sandbox.use', action: 'sandbox.place', handle: place },
    {
      method: 'GET',
      path: ORDER,
      permission: 'sandbox.use',
      handle: (world, call) => sandboxView(world, upstreams, call),
    },
    {
      method: 'POST',
      path: ORDER,
      permission: 'sandbox.use',
      action: 'sandbox.deed',
      audited: ({ path, body }) => ({
        ...{ mchNo: path.mch_no ?? null, subject: path.transaction_no ?? null },
        detail: { deed: String(body.deed ?? '').slice(0, 32), scenario: String(body.scenario ?? '').slice(0, 32) },
      }),
      handle: (world, call) => deed(world, upstreams, call),
    },
    {
      method: 'GET',
      path: 'sandbox/faults/:channel',
      permission: 'sandbox.use',
      handle: async (_world, call) => ({ faults: faultsOf(call)?.list() ?? [] }),
    },
    {
      method: 'PUT',
      path: 'sandbox/faults/:channel',
      permission: 'sandbox.use',
      action: 'sandbox.faults',
      async handle(_world, call) {
        const faults = faultsOf(call)
        if (faults === null) return NO_CHANNEL()
        const asked = readFaults(call.body.faults)
        if (typeof asked === 'string')
          return failed('FIELD_INVALID', `faults ${asked}`, `faults ${asked}`, { field: 'faults' })
        faults.set(asked)
        return { faults: faults.list() }
      },
    },
  ]
}
