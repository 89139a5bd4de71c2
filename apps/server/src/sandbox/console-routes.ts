/**
 * Sandbox mode only: the endpoints of the console's sandbox page (docs/sandbox.md). One click does what a payer, an upstream,
 * the network or a merchant does to a test order.
 */
import { type ChannelName, isChannelName } from '@acopay/channels'
import { formatYuan, parseYuan } from '@acopay/core'
import type { SandboxDemo, SandboxDone, SandboxOrder, SandboxTime } from '@acopay/protocol/console'
import { ownApp } from '@acopay/store'
import { placeOrder } from '../actions/order/place-order.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, orderOf } from '../http/console/call.ts'
import { briefOf, fieldsOf } from '../http/console/fields.ts'
import type { World } from '../world.ts'
import { DEMO, readDemo } from './demo-merchant.ts'
import { ATTEMPT_OPERATIONS, attemptOf, CHANNELS, close, missing, open, refund, type Stage } from './operations.ts'
import type { SandboxParts } from './routes.ts'
import { SCENARIOS } from './scenarios.ts'
import type { SandboxClock } from './time.ts'
import { readFaults, type SandboxUpstreams } from './upstreams.ts'
import { sandboxView } from './view.ts'

/** How the test shop answers notifications: the paths of sandbox/routes.ts. */
const SHOPS = ['ok', 'slow', 'fail'] as const

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
    mchNo,
    appNo,
    mchTradeNo: `test${world.newDigits(20)}`,
    description,
    askedExpire: null,
    extra: null,
    amountFen: parseYuan(formatYuan(amountFen ?? 0n)) as NonNullable<ReturnType<typeof parseYuan>>,
    notifyUrl: `${origin}/sandbox/shop/${shop}`,
    nonce: null,
  })
  if (placed.kind !== 'placed')
    return failed('CONFLICT', '下单失败，请重试', 'The order could not be placed; try again')
  return { mch_no: mchNo, transaction_no: placed.order.transactionNo }
}

/** The fields of a requested operation; each operation uses some of them. */
type Asked = {
  channel: ChannelName | null
  method: string | null
  attemptNo: string | null
  scenario: keyof typeof SCENARIOS | null
  amountFen: bigint | null
}

const namesOf = <Name extends string>(table: Record<Name, unknown>): Name[] => Object.keys(table) as Name[]

/** Operations on the order itself, by the name that the page sends. */
const ORDER_OPERATIONS = {
  open: (stage, { channel, method }) => open(stage, channel ?? 'wechat', method ?? 'native'),
  close: (stage) => close(stage),
  close_twice: async (stage) => (await Promise.all([close(stage), close(stage)]))[0],
  refund: (stage, { amountFen }) => refund(stage, amountFen),
  scenario: async (stage, { scenario }) => (scenario === null ? missing('scenario') : SCENARIOS[scenario](stage)),
} as const satisfies Record<string, (stage: Stage, asked: Asked) => Promise<SandboxDone | Failed>>

type OrderOperation = keyof typeof ORDER_OPERATIONS
type AttemptOperation = keyof typeof ATTEMPT_OPERATIONS

/** The error message for an unknown operation lists them in this order. */
const OPERATIONS = [
  'open',
  'scan',
  'pay',
  'pay_anyway',
  'give_back',
  'expire',
  'close',
  'close_twice',
  'close_and_pay',
  'refund',
  'scenario',
] as const satisfies (OrderOperation | AttemptOperation)[]

const isOnOrder = (name: OrderOperation | AttemptOperation): name is OrderOperation =>
  Object.hasOwn(ORDER_OPERATIONS, name)

/** Runs the operation that the page requests on the order in the path. */
async function operate(world: World, upstreams: SandboxUpstreams, call: ConsoleCall): Promise<SandboxDone | Failed> {
  const order = await orderOf(world, call)
  if (order instanceof Failed) return order
  const read = fieldsOf(call.body)
  const operation = read.word('operation', OPERATIONS)
  if (operation === null) read.say('operation', '不能为空', 'is missing')
  const asked: Asked = {
    channel: read.word('channel', CHANNELS),
    method: read.text('method', 32),
    attemptNo: read.text('attempt_no', 38),
    scenario: read.word('scenario', namesOf(SCENARIOS)),
    amountFen: read.yuan('amount'),
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  if (operation === null) return missing('operation')
  const stage = { world, upstreams, order }
  if (isOnOrder(operation)) return ORDER_OPERATIONS[operation](stage, asked)
  const attempt = await attemptOf(stage, asked.attemptNo)
  if (attempt === null) return missing('attempt_no')
  if (operation !== 'expire') await upstreams.openInApp(attempt)
  return ATTEMPT_OPERATIONS[operation](stage, attempt)
}

function demoOf(home: string, { mchNo }: Caller): SandboxDemo | Failed {
  if (mchNo !== null && mchNo !== DEMO.mchNo)
    return failed('NOT_FOUND', '只有演示商户有演示密钥', 'Only the demo merchant has a demo key')
  const demo = readDemo(home)
  if (demo === null) return failed('NOT_FOUND', '没有演示商户的设置', "The demo merchant's settings are not there")
  return {
    mch_no: demo.mchNo,
    app_no: demo.appNo,
    private_key: demo.mchPrivateKey,
    platform_public_key: demo.platformPublicKey,
  }
}

const ORDER = 'sandbox/orders/:mch_no/:transaction_no/operations'
const NO_CHANNEL = () => failed('NOT_FOUND', '没有这个渠道', 'There is no such channel')

/** `home` is the folder that holds the demo merchant's settings. */
export const sandboxConsole = ({ upstreams, clock }: SandboxParts, home: string): ConsoleEndpoint[] => [
  // The answer holds the demo merchant's private key, which protects no money: the API explorer signs with it.
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
      mchNo: path.mch_no ?? null,
      subject: path.transaction_no ?? null,
      detail: { operation: briefOf(body.operation, 32), scenario: briefOf(body.scenario, 32) },
    }),
    handle: (world, call) => operate(world, upstreams, call),
  },
  {
    method: 'GET',
    path: 'sandbox/faults/:channel',
    permission: 'sandbox.use',
    handle: async (_world, call) => {
      const faults = faultsOf(upstreams, call)
      return faults === null ? NO_CHANNEL() : { faults: faults.list() }
    },
  },
  {
    method: 'PUT',
    path: 'sandbox/faults/:channel',
    permission: 'sandbox.use',
    action: 'sandbox.faults',
    handle: async (_world, call) => setFaults(upstreams, call),
  },
  { method: 'GET', path: 'sandbox/time', permission: 'sandbox.use', handle: async () => clock.read() },
  {
    method: 'POST',
    path: 'sandbox/time',
    permission: 'sandbox.use',
    action: 'sandbox.time',
    audited: ({ body }) => ({ mchNo: null, subject: null, detail: { to: briefOf(body.to, 32) } }),
    handle: async (_world, call) => moveTime(clock, call),
  },
]

const faultsOf = (upstreams: SandboxUpstreams, { path: { channel = '' } }: ConsoleCall) =>
  isChannelName(channel) ? upstreams.faults(channel) : null

async function moveTime(clock: SandboxClock, { body }: ConsoleCall): Promise<SandboxTime | Failed> {
  const moved = await clock.move(body.to)
  if (moved === null) return failed('CONFLICT', '网关正在启动或停止', 'The gateway starts or stops')
  return 'zh' in moved ? failed('FIELD_INVALID', moved.zh, moved.en, { field: 'to' }) : moved
}

function setFaults(upstreams: SandboxUpstreams, call: ConsoleCall): object | Failed {
  const faults = faultsOf(upstreams, call)
  if (faults === null) return NO_CHANNEL()
  const asked = readFaults(call.body.faults)
  if (typeof asked === 'string') {
    return failed('FIELD_INVALID', `faults ${asked}`, `faults ${asked}`, { field: 'faults' })
  }
  faults.set(asked)
  return { faults: faults.list() }
}
