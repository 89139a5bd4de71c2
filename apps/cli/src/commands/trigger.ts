/** `acopay trigger EVENT`: in a sandbox, makes an event happen from its beginning to its end, and says what happened. */
import { AcoPay, newTradeNo } from '@acopay/sdk'
import {
  type Command,
  EXIT,
  type Flags,
  type Io,
  type OptionShape,
  type Output,
  ownName,
  table,
  textFlag,
} from '../command.ts'
import { type Sandbox, sandboxOf } from '../sandbox.ts'
import { readSettings, SETTINGS_OPTIONS } from '../settings.ts'

const OPTIONS = {
  ...SETTINGS_OPTIONS,
  amount: { type: 'string', says: '新订单的金额 amount of the new order' },
  'notify-url': { type: 'string', says: '新订单的通知地址 where the new order is told of' },
  channel: { type: 'string', choices: ['wechat', 'alipay'] },
  method: { type: 'string', says: '支付方式 way to pay: native, h5 …' },
} as const satisfies Record<string, OptionShape>

const ORDER = { 'transaction-no': { type: 'string' }, 'mch-trade-no': { type: 'string' } } as const

const NEW = '[--amount 12.50] [--notify-url URL] [--channel wechat|alipay] [--method native]'
const NAMED = `[--transaction-no NO | --mch-trade-no NO] ${NEW}`

type Step = { zh: string; en: string }
type Numbers = { transactionNo: string; mchTradeNo: string } & Record<string, string | null>

/** What an event is made with, and what it has to tell. */
type Stage = { pay: AcoPay; sandbox: Sandbox; flags: Flags; io: Io; steps: Step[] }

const say = ({ steps }: Stage, zh: string, en: string): void => void steps.push({ zh, en })

type Event = (stage: Stage) => Promise<Numbers>

function trigger(event: string, { usage, zh, en }: Pick<Command, 'usage' | 'zh' | 'en'>, happen: Event): Command {
  const takesOrder = usage.includes('--transaction-no')
  return {
    usage,
    zh: `沙箱：${zh}`,
    en: `sandbox: ${en}`,
    options: { ...OPTIONS, ...(takesOrder ? ORDER : {}), ...(event === 'expiry' ? NO_WAIT : {}) },
    async run(flags, io): Promise<Output> {
      const settings = readSettings(flags, io, ['baseUrl', 'mchNo', 'appNo', 'mchPrivateKey', 'platformPublicKey'])
      const stage = { pay: new AcoPay(settings), sandbox: await sandboxOf(settings), flags, io, steps: [] as Step[] }
      const numbers = await happen(stage).catch((error: unknown) => {
        // What has happened before stays: the order is there.
        for (const line of linesOf(stage.steps)) io.err(line)
        throw error
      })
      const rows = Object.entries(numbers).map(([name, value]): [string, string | null] => [
        LABELS[name] ?? name,
        value,
      ])
      const next = `${ownName(io)} order query --transaction-no ${numbers.transactionNo}`
      const lines = [...linesOf(stage.steps), '', ...table(rows), '', `查单 to query it: ${next}`]
      return { exit: EXIT.done, json: { event, ...numbers, steps: stage.steps }, lines }
    },
  }
}

const linesOf = (steps: Step[]): string[] => steps.map(({ zh, en }) => `- ${zh} ${en}`)

const LABELS: Record<string, string> = {
  transactionNo: '平台订单号 transaction_no',
  mchTradeNo: '商户订单号 mch_trade_no',
  attemptNo: '支付尝试 attempt',
  secondAttemptNo: '第二次尝试 second attempt',
  refundNo: '平台退款单号 refund_no',
  mchRefundNo: '商户退款单号 mch_refund_no',
  state: '状态 state',
  expires: '过期时间 expires',
  billDate: '对账单日期 bill of',
  billFrom: '可下载 ready from',
}

/** The order that the flags name, else a new one. */
async function orderOf(stage: Stage, more: { timeExpire?: Date } = {}): Promise<Numbers> {
  const { pay, flags } = stage
  const transactionNo = textFlag(flags, 'transaction-no')
  const mchTradeNo = textFlag(flags, 'mch-trade-no')
  if (transactionNo !== undefined || mchTradeNo !== undefined) {
    const order = await pay.queryOrder(
      transactionNo === undefined ? { mchTradeNo: mchTradeNo ?? '' } : { transactionNo },
    )
    return { transactionNo: order.transactionNo, mchTradeNo: order.mchTradeNo }
  }
  const notifyUrl = textFlag(flags, 'notify-url')
  const amountTotal = textFlag(flags, 'amount') ?? '12.50'
  const placed = await pay.placeOrder({
    mchTradeNo: newTradeNo(),
    description: '沙箱测试 sandbox test',
    amountTotal,
    ...(notifyUrl === undefined ? {} : { notifyUrl }),
    ...more,
  })
  say(stage, `已下单 ${amountTotal} 元`, `order of ${amountTotal} CNY placed: ${placed.transactionNo}`)
  return { transactionNo: placed.transactionNo, mchTradeNo: placed.mchTradeNo }
}

async function openAttempt(stage: Stage, transactionNo: string): Promise<string> {
  const channel = textFlag(stage.flags, 'channel') ?? 'wechat'
  const method = textFlag(stage.flags, 'method') ?? 'native'
  const { attempt_no: attemptNo } = await stage.sandbox.open(transactionNo, { channel, method })
  say(stage, `付款人选择了 ${channel} ${method}`, `the payer chose ${channel} ${method}`)
  return attemptNo
}

/** An order that is paid: the named one as it is, if it is paid already. */
async function paidOrder(stage: Stage): Promise<Numbers> {
  const order = await orderOf(stage)
  const { state } = await stage.pay.queryOrder({ transactionNo: order.transactionNo })
  if (state === 'SUCCESS') return { ...order, state }
  const attemptNo = await openAttempt(stage, order.transactionNo)
  await stage.sandbox.act(order.transactionNo, attemptNo, 'pay')
  const paid = await until(
    stage,
    'SUCCESS',
    async () => (await stage.pay.queryOrder({ transactionNo: order.transactionNo })).state,
  )
  say(stage, '付款人已付款', 'the payer has paid')
  return { ...order, attemptNo, state: paid }
}

async function lateMoney(stage: Stage, { transactionNo, attemptNo }: { transactionNo: string; attemptNo: string }) {
  await stage.sandbox.act(transactionNo, attemptNo, 'pay-anyway')
  say(stage, '上游仍然收了这笔钱', 'the upstream took the money all the same')
  const channel = textFlag(stage.flags, 'channel') ?? 'wechat'
  const back = await until(stage, 'back', async () =>
    (await stage.sandbox.isBack(channel, attemptNo)) ? 'back' : 'taken',
  )
  if (back === 'back') say(stage, '网关已把钱退回付款人', 'the gateway has sent it back to the payer')
  else say(stage, '钱还没有退回，网关会继续', 'it is not back yet; the gateway goes on')
}

const PAUSE_MS = 250
const ASKED_MAX = 60

/** Asks until the answer is `wanted`, for some 15 seconds at most. Returns the last answer. */
async function until<Answer extends string>(
  { io }: Stage,
  wanted: Answer,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  for (let asked = 1; ; asked += 1) {
    const answer = await ask()
    if (answer === wanted || asked >= ASKED_MAX) return answer
    await io.pause(PAUSE_MS)
  }
}

async function closeIt(stage: Stage, transactionNo: string): Promise<void> {
  const { outcome, description } = await stage.pay.closeOrder({ transactionNo })
  say(stage, `商户关单：${description}`, `the merchant closes it: ${outcome}`)
}

const payment: Event = paidOrder

const latePayment: Event = async (stage) => {
  const order = await orderOf(stage)
  const attemptNo = await openAttempt(stage, order.transactionNo)
  await closeIt(stage, order.transactionNo)
  await lateMoney(stage, { ...order, attemptNo })
  const { state } = await stage.pay.queryOrder(order)
  return { ...order, attemptNo, state }
}

const secondPayment: Event = async (stage) => {
  const order = await orderOf(stage)
  const secondAttemptNo = await openAttempt(stage, order.transactionNo)
  const attemptNo = await openAttempt(stage, order.transactionNo)
  await stage.sandbox.act(order.transactionNo, attemptNo, 'pay')
  say(stage, '付款人已付款', 'the payer has paid')
  await lateMoney(stage, { ...order, attemptNo: secondAttemptNo })
  const { state } = await stage.pay.queryOrder(order)
  return { ...order, attemptNo, secondAttemptNo, state }
}

const refund: Event = async (stage) => {
  const order = await paidOrder(stage)
  const mchRefundNo = newTradeNo()
  const { amountTotal } = await stage.pay.queryOrder(order)
  const asked = await stage.pay.refund({
    transactionNo: order.transactionNo,
    mchRefundNo,
    refundAmount: amountTotal,
    refundReason: '沙箱测试',
  })
  say(stage, `已申请退款 ${amountTotal} 元`, `a refund of ${amountTotal} CNY was asked for`)
  const { refundNo } = asked
  const state = await until(stage, 'SUCCESS', async () => (await stage.pay.queryRefund({ refundNo })).state)
  say(stage, `退款状态 ${state}`, `the refund stands at ${state}`)
  return { ...order, refundNo, mchRefundNo, state }
}

const close: Event = async (stage) => {
  const order = await orderOf(stage)
  const attemptNo = await openAttempt(stage, order.transactionNo)
  await closeIt(stage, order.transactionNo)
  const { state } = await stage.pay.queryOrder(order)
  return { ...order, attemptNo, state }
}

/** The shortest time that an order may have, and some seconds in which the request travels. */
const SHORTEST_MS = 65_000
const NO_WAIT = { 'skip-wait': { type: 'boolean', says: '不等到过期 end before it expires' } } as const

const expiry: Event = async (stage) => {
  const { io, pay, sandbox, flags } = stage
  const timeExpire = new Date(io.nowMs() + SHORTEST_MS)
  const order = await orderOf(stage, { timeExpire })
  const attemptNo = await openAttempt(stage, order.transactionNo)
  await sandbox.act(order.transactionNo, attemptNo, 'expire')
  say(stage, '上游的支付码已过期', 'the code has expired upstream')
  const expires = timeExpire.toISOString()
  const stateNow = async (): Promise<string> => (await pay.queryOrder(order)).state
  if (flags['skip-wait'] === true) return { ...order, attemptNo, expires, state: await stateNow() }
  io.err(`等待过期 waiting until it expires: ${expires}`)
  // Asks each second: where the sandbox's clock is moved meanwhile, the wait ends.
  for (let waited = 0; waited < SHORTEST_MS && (await stateNow()) === 'NOTPAY'; waited += 1000) await io.pause(1000)
  const state = await until(stage, 'CLOSED', stateNow)
  say(stage, `订单已过期，状态 ${state}`, `the order has expired and stands at ${state}`)
  return { ...order, attemptNo, expires, state }
}

const DAY_MS = 86_400_000

const bill: Event = async (stage) => {
  const order = await refund(stage)
  // A number begins with the moment at which the gateway made it, by its own clock and in UTC+8: so does the day of the bill.
  const billDate = order.transactionNo.slice(2, 10).replace(/^(....)(..)(..)$/, '$1-$2-$3')
  const next = new Date(Date.parse(billDate) + DAY_MS).toISOString().slice(0, 10)
  say(stage, `${billDate} 的对账单里有这笔支付和退款`, `the bill of ${billDate} has this payment and this refund`)
  say(
    stage,
    `次日09:00后下载：${ownName(stage.io)} bill --date ${billDate}`,
    'download it then, after 09:00 of the next day',
  )
  return { ...order, billDate, billFrom: `${next}T09:00:00+08:00` }
}

export const TRIGGERS: Record<string, Command> = {
  'trigger payment': trigger('payment', { usage: NAMED, zh: '下单并支付', en: 'an order is paid' }, payment),
  'trigger late-payment': trigger(
    'late-payment',
    {
      usage: NEW,
      zh: '关单之后上游仍收了钱，网关退回',
      en: 'the upstream takes money for a closed order; it goes back',
    },
    latePayment,
  ),
  'trigger second-payment': trigger(
    'second-payment',
    { usage: NEW, zh: '一笔订单付了两次，第二笔退回', en: 'an order is paid twice; the second payment goes back' },
    secondPayment,
  ),
  'trigger refund': trigger(
    'refund',
    { usage: NAMED, zh: '支付后全额退款', en: 'a payment is refunded in full' },
    refund,
  ),
  'trigger close': trigger(
    'close',
    { usage: NAMED, zh: '打开支付码后关单', en: 'an order is closed while a code is open' },
    close,
  ),
  'trigger expiry': trigger(
    'expiry',
    { usage: `${NEW} [--skip-wait]`, zh: '订单过期（约65秒）', en: 'an order expires, after some 65 seconds' },
    expiry,
  ),
  'trigger bill': trigger(
    'bill',
    { usage: NEW, zh: '让当天的对账单有支付和退款', en: 'puts a payment and a refund into the bill of today' },
    bill,
  ),
}
