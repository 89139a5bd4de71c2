/** Carries out a scenario's operations: what merchants and payers do, crashes, and jumps of the clock. */
import { fen, type OrderRef } from '@acopay/core'
import type { Order } from '@acopay/store'
import { closeOrder } from '../../apps/server/src/actions/order/close-order.ts'
import { placeOrder } from '../../apps/server/src/actions/order/place-order.ts'
import { queryOrder } from '../../apps/server/src/actions/order/query-order.ts'
import { startPayment } from '../../apps/server/src/actions/payment/start-payment.ts'
import { refundOrder } from '../../apps/server/src/actions/refund/refund-order.ts'
import { APP, type Gateway, MCH, START_MS } from './gateway.ts'
import { type Random, random } from './random.ts'
import { AMOUNT_FEN, hasStalls, type Operation, type OperationKind, REFUND_REASON, type Scenario } from './scenario.ts'
import type { Process, Scheduler } from './scheduler.ts'
import type { Ledger } from './told.ts'
import type { upstream } from './upstream.ts'

const NOTIFY_URL = 'https://merchant.example/told'

const numberOf = (index: number): string => `order-number-${index}-0123456789`

/** What the outside knows of an order: its numbers, and the first moment at which a merchant or the expiry closes it. */
export type KnownOrder = { number: number; no: string | null; attempts: string[]; closingSinceMs: number }

type Context = {
  plan: Scenario
  schedule: Scheduler
  say: (line: string) => void
  count: (what: string) => void
  broke: (what: string) => void
  orders: KnownOrder[]
  told: Ledger
  upstreams: ReturnType<typeof upstream>
  anyGateway: () => Gateway | null
  crash: (process: Process, restartMs: number) => void
  failed: (what: string) => void
}

type OrderKey = { mchNo: string; ref: OrderRef }

type OperationContext = Context & {
  dice: Random
  nonce: () => string
  /** The attempts whose code a payer has seen. */
  shown: Set<string>
  keyOf: (order: KnownOrder) => OrderKey
  ask: <Answer extends { kind: string } | Order | null>(
    what: string,
    work: (gateway: Gateway) => Promise<Answer>,
    onAnswer: (answer: Answer) => void,
  ) => void
}

/** If a process dies, its callers get no answer, and may call again. */
export function operationsOf(given: Context) {
  const { plan, schedule, say, orders, anyGateway } = given
  let nonces = 0
  const nonce = (): string => {
    nonces += 1
    return `n${nonces}`
  }
  const ask: OperationContext['ask'] = (what, work, onAnswer) => {
    const gateway = anyGateway()
    if (gateway === null) return
    say(`${gateway.process.name}: is asked to ${what}`)
    work(gateway).then(
      (answer) => {
        if (!gateway.process.isAlive) return
        const wrong = contradicted(answer)
        if (wrong !== null) given.broke(`${wrong}: ${what}`)
        onAnswer(answer)
      },
      (error: Error) => {
        say(`${gateway.process.name}: fails to ${what}: ${error.message}`)
        given.failed(`${what}: ${error.message}`)
      },
    )
  }
  const numbers = random(plan.seed, 'numbers')
  /** By either of its numbers. */
  const keyOf = ({ no, number }: KnownOrder): OrderKey => ({
    mchNo: MCH,
    ref: numbers.isOneIn(0.5) ? { transactionNo: no ?? '' } : { mchTradeNo: numberOf(number - 1) },
  })
  const context: OperationContext = { ...given, dice: random(plan.seed, 'deeds'), nonce, shown: new Set(), ask, keyOf }

  function operation(one: Operation): void {
    const order = orders[one.order]
    if (one.kind === 'crash') crash(context)
    else if (one.kind === 'jump') {
      // A stall is about a create call that may still land, which takes up to five minutes.
      const minutes = hasStalls(plan.seed) ? 6 : 3
      say(`the clock jumps by ${minutes} minutes`)
      schedule.advanceTo(schedule.nowMs() + minutes * 60_000)
    } else if (order?.no != null) TO_ORDER[one.kind](context, order, one)
  }
  return { place: (index: number) => place(context, index), operation }
}

/** What cannot be answered: every call has a nonce of its own, and is about an order that was placed. */
function contradicted(answer: { kind: string } | Order | null): string | null {
  if (answer === null) return 'S4: there is no such order'
  if (!('kind' in answer)) return null
  if (answer.kind === 'nonce_used') return 'S3: a new nonce counts as used'
  return answer.kind === 'absent' ? 'S4: there is no such order' : null
}

function place({ plan, orders, say, nonce, ask }: OperationContext, index: number): void {
  const { expiresInMs, hasNotifyUrl } = plan.orders[index] as Scenario['orders'][number]
  const wishes = {
    mchNo: MCH,
    appNo: APP,
    mchTradeNo: numberOf(index),
    description: 'x',
    amountFen: fen(AMOUNT_FEN),
    askedExpire: new Date(START_MS + expiresInMs),
    extra: null,
    nonce: nonce(),
    notifyUrl: hasNotifyUrl ? NOTIFY_URL : null,
  }
  ask(
    `place order ${index + 1}`,
    ({ world }) => placeOrder(world, wishes),
    (placed) => {
      if (placed.kind === 'placed') (orders[index] as KnownOrder).no = placed.order.transactionNo
      say(`order ${index + 1}: ${placed.kind}`)
    },
  )
}

/** What each operation does to an order that was placed. A payer's operations need an attempt. */
const TO_ORDER: Record<
  Exclude<OperationKind, 'crash' | 'jump'>,
  (context: OperationContext, order: KnownOrder, operation: Operation) => void
> = {
  start,
  scan(context, { attempts, number }, { attempt }) {
    const no = attempts[attempt] ?? ''
    if (isInSight(context, no) && context.upstreams.scan(no))
      context.say(`payer scans attempt ${attempt + 1} of order ${number}`)
  },
  pay(context, { attempts, number }, { attempt }) {
    const no = attempts[attempt] ?? ''
    if (isInSight(context, no) && context.upstreams.pay(no))
      context.say(`payer pays attempt ${attempt + 1} of order ${number}`)
  },
  return: returned,
  query({ say, told, ask, keyOf }, order) {
    ask(
      `query order ${order.number}`,
      ({ world }) => queryOrder(world, keyOf(order)),
      (found) => {
        say(`order ${order.number}: query says ${found?.state}`)
        if (found !== null) told.queryShows(found.transactionNo, found.state)
      },
    )
  },
  close,
  refund,
}

function start({ say, shown, ask, keyOf }: OperationContext, order: KnownOrder, { channel }: Operation): void {
  const payer = { returnUrl: null, payerIp: null, openId: null }
  /** Notes the new attempt's number for the payers, in the order in which attempts are started. */
  const noted = (text: string, digits: string): string => {
    const [, transactionNo = ''] = text.split('\n')
    const attemptNo = `AT${transactionNo.slice(2, 19)}${digits}`
    if (!order.attempts.includes(attemptNo)) order.attempts.push(attemptNo)
    return digits
  }
  ask(
    `start ${channel} of order ${order.number}`,
    ({ world }) => {
      const keyedDigits = (text: string, length: number) => noted(text, world.keyedDigits(text, length))
      const noting = { ...world, keyedDigits }
      return startPayment(noting, { ...keyOf(order), channel, method: 'native', payer })
    },
    (started) => {
      // A payer can scan only a code that was shown.
      if (started.kind === 'started' && started.attempt.payUrl !== null) shown.add(started.attempt.attemptNo)
      say(`order ${order.number}: start ${started.kind === 'started' ? started.attempt.state : started.kind}`)
    },
  )
}

const isInSight = ({ shown, upstreams }: OperationContext, attemptNo: string): boolean =>
  shown.has(attemptNo) || !upstreams.isCode(attemptNo)

function close({ schedule, say, count, told, nonce, ask, keyOf }: OperationContext, order: KnownOrder): void {
  order.closingSinceMs = Math.min(order.closingSinceMs, schedule.nowMs())
  ask(
    `close order ${order.number}`,
    ({ world }) => closeOrder(world, { ...keyOf(order), by: 'MERCHANT', nonce: nonce() }),
    (closed) => {
      const says = closed.kind === 'answered' ? closed.outcome : closed.kind
      say(`order ${order.number}: close says ${says}`)
      count(`close says ${says}`)
      told.closeSays(order.no ?? '', says)
    },
  )
}

function refund(
  { plan, dice, say, broke, told, nonce, ask, keyOf }: OperationContext,
  order: KnownOrder,
  { fen: amount }: Operation,
): void {
  const mchRefundNo = `refund-number-${order.number}-${amount}-${dice.between(0, 1)}-0123456789`
  const notifyUrl = plan.orders[order.number - 1]?.hasNotifyUrl ? NOTIFY_URL : null
  const asked = { ...keyOf(order), mchRefundNo, amountFen: fen(amount), reason: REFUND_REASON, notifyUrl }
  ask(
    `refund ${amount} of order ${order.number}`,
    ({ world }) => refundOrder(world, { ...asked, nonce: nonce() }),
    (made) => {
      say(`order ${order.number}: refund ${made.kind === 'refund' ? made.refund.state : made.kind}`)
      if (made.kind === 'refund') told.refundSays(order.no ?? '', made.refund.refundNo, amount, made.refund.state)
      // The number contains the order and the amount, so the same number always asks for the same refund.
      if (made.kind === 'differs') broke(`S1: a repeated refund differs in ${made.field}`)
      // A run takes less than 180 days, and no order has twenty refunds.
      const isNoLimit = made.kind === 'refused' && /^REFUND_TIMES?_EXCEED$/.test(made.why)
      if (isNoLimit) broke(`S2: a refund within the limits is refused: ${made.why}`)
    },
  )
}

/**
 * Sends a payment back from outside. With WeChat Pay only the bill shows that, and there is no bill here: so WeChat Pay returns
 * only a payment that the gateway surely keeps.
 */
function returned(
  { upstreams, told, say, count }: OperationContext,
  { no, attempts, number }: KnownOrder,
  { attempt }: Operation,
): void {
  const paid = upstreams.trades().filter((trade) => attempts.includes(trade.no) && trade.payments.length > 0)
  const [only] = paid
  const isSurelyKept = paid.length === 1 && only?.payments.length === 1 && told.isToldPaid(no ?? '')
  const one = attempts[attempt] ?? ''
  const isAllowed = isSurelyKept || paid.some((trade) => trade.no === one && trade.channel === 'alipay')
  const which = isSurelyKept ? (only?.no ?? '') : one
  if (!isAllowed || !upstreams.sendBack(which)) return
  say(`the payment of attempt ${attempts.indexOf(which) + 1} of order ${number} is sent back from outside`)
  count('operation payment returned from outside')
}

function crash({ dice, anyGateway, crash: crashes }: OperationContext): void {
  const gateway = anyGateway()
  if (gateway !== null) crashes(gateway.process, dice.between(10, 20_000))
}
