/** Both upstreams with their quirks, and the payers. They keep what they know when a gateway process dies. */
import type {
  Channel,
  ChannelName,
  CloseAnswer,
  QueryAnswer,
  RefundAnswer,
  RefundAsk,
  WebhookReply,
} from '@acopay/channels'
import { type Chosen, CREATE_LANDS_MS, type Fault, type Network, network, type Observer } from './network.ts'
import type { Random } from './random.ts'
import { REFUND_REASON } from './scenario.ts'
import type { Process, Scheduler } from './scheduler.ts'
import {
  asTold,
  backFen,
  isAllBack,
  newTrade,
  type Payment,
  type SentBack,
  sendRestBack,
  type Trade,
} from './trades.ts'

export type Upstream = {
  channelOf: (process: Process, name: ChannelName) => Channel
  /** An unscanned code: only a payer who has seen it can pay it. */
  isCode: (no: string) => boolean
  /** The payer opens a code in the wallet. */
  scan: (no: string) => boolean
  /** The payer pays; false if the upstream refuses. */
  pay: (no: string) => boolean
  /** The upstream or the merchant's back office sends an attempt's payment back; false if nothing is left of it. */
  sendBack: (no: string) => boolean
  trades: () => Trade[]
  /** Faults end. */
  rest: () => void
}

const WATCH_MS = 10 * 60_000

type UpstreamObserver = Observer & {
  /** Sends a webhook to a gateway process; null if none is alive. */
  notify: (channel: ChannelName, body: string) => Promise<WebhookReply | null>
  quirk: (what: string) => void
}

/** What all functions of the upstreams share. */
type Parts = {
  schedule: Scheduler
  dice: Random
  observer: UpstreamObserver
  wire: Network
  trades: Map<string, Trade>
  tell: (channel: ChannelName, body: string, inMs: number) => void
}

export function upstream(schedule: Scheduler, dice: Random, chosen: Chosen, observer: UpstreamObserver): Upstream {
  const trades = new Map<string, Trade>()
  /** Sends a webhook, and again after growing pauses until a gateway accepts it. */
  function tell(channel: ChannelName, body: string, inMs: number, tries = 1): void {
    schedule.at(schedule.nowMs() + inMs, null, () => {
      // Not awaited: other events go on while the gateway works on it.
      void observer.notify(channel, body).then((reply) => {
        if (reply?.status !== 200 && tries < 8) tell(channel, body, 15_000 * 2 ** tries, tries + 1)
      })
    })
  }
  const wire = network(schedule, dice, chosen, observer)
  const parts: Parts = { schedule, dice, observer, wire, trades, tell }
  return {
    channelOf: (process, name) => channelOf(parts, process, name),
    isCode: (no) => trades.get(no)?.isCode === true,
    ...payersOf(parts),
    trades: () => [...trades.values()],
    rest: wire.rest,
  }
}

const isPayable = (trade: Trade, nowMs: number): boolean => trade.state === 'open' && nowMs < trade.expireMs

/** What payers do, and payments that are sent back from outside. */
function payersOf({
  schedule,
  dice,
  observer,
  wire,
  trades,
  tell,
}: Parts): Pick<Upstream, 'scan' | 'pay' | 'sendBack'> {
  const now = schedule.nowMs
  function book(trade: Trade, amountFen: bigint): Payment {
    const paidAt = new Date(Math.floor(now() / 1000) * 1000)
    const paymentNo = `UP${trade.no}${trade.payments.length === 0 ? '' : '-2'}`
    const payment = { paymentNo, amountFen, currency: 'CNY', paidAt, payer: 'p', refunds: [] }
    trade.payments.push(payment)
    return payment
  }
  function announce(trade: Trade, { paymentNo }: Payment): void {
    const tellings = wire.drawOne('webhook doubled', 'webhook') ? 2 : 1
    for (let count = 0; count < tellings; count += 1) {
      const isLate = wire.drawOne('webhook late', 'webhook')
      const lateMs = isLate ? dice.between(10_000, 600_000) : dice.between(20, 800)
      tell(trade.channel, JSON.stringify({ attemptNo: trade.no, paymentNo }), lateMs)
    }
  }
  function take(trade: Trade): void {
    const first = book(trade, wire.drawOne('wrong amount', 'pay') ? trade.fen + 1n : trade.fen)
    trade.state = 'paid'
    trade.isCode = false
    // A query shows only the first payment. Only its webhook shows the second, so neither webhook is lost.
    if (wire.drawOne('paid twice', 'pay')) {
      schedule.at(now() + dice.between(1, dice.isOneIn(0.5) ? 500 : 60_000), null, () => {
        observer.story(`another payer pays ${trade.no.slice(-6)} a second time`)
        announce(trade, book(trade, trade.fen))
      })
      announce(trade, first)
    } else if (!wire.drawOne('webhook lost', 'webhook')) announce(trade, first)
    // Only Alipay's query shows that. With WeChat Pay only the bill does, and there is no bill here.
    if (trade.channel === 'alipay' && wire.drawOne('returned at once', 'pay')) {
      schedule.at(now() + dice.between(1, 1500), null, () => {
        if (sendRestBack(first, 'outside', now()))
          observer.story(`upstream sends back the payment of ${trade.no.slice(-6)}`)
      })
    }
  }
  return {
    scan(no) {
      const trade = trades.get(no)
      if (trade === undefined || !isPayable(trade, now())) return false
      trade.isCode = false
      trade.tradeSinceMs = Math.min(trade.tradeSinceMs, now())
      return true
    },
    pay(no) {
      const trade = trades.get(no)
      if (trade === undefined || trade.state === 'paid') return false
      // After the watch only the daily bill shows a payment, and there is no bill here.
      const isWatched = now() < trade.expireMs + WATCH_MS
      if (!isPayable(trade, now()) && !(isWatched && wire.drawOne('paid although closed', 'pay'))) return false
      take(trade)
      return true
    },
    sendBack(no) {
      const first = trades.get(no)?.payments[0]
      return first !== undefined && sendRestBack(first, 'outside', now())
    },
  }
}

function channelOf(parts: Parts, process: Process, name: ChannelName): Channel {
  const { schedule, observer, wire, trades } = parts
  const now = schedule.nowMs
  return {
    methods: ['native'],
    payUrlTtlMs: {},
    signIn: null,
    tradeStartsAtScan: name === 'alipay',
    refundVisibleAfterMs: name === 'alipay' ? 10_000 : 0,
    createInFlightMs: CREATE_LANDS_MS,
    latePaymentWindowMs: WATCH_MS,
    open: ({ attemptNo: no, amountFen, expireAt }) =>
      wire.call(process, 'open', no, () => {
        const isCode = name === 'alipay'
        if (isCode) observer.quirk('a code that is no trade yet')
        trades.set(no, newTrade({ no, channel: name, fen: amountFen, expireMs: expireAt.getTime(), isCode }, now()))
        return { kind: 'opened', payUrl: `pay:${no}` }
      }),
    query: ({ attemptNo }) =>
      wire.call(process, 'query', attemptNo, (fault) => {
        const says = queried(parts, trades.get(attemptNo))
        const trade = trades.get(attemptNo)
        // Count only an answer that surely reaches the gateway.
        if (says.kind === 'open' && trade?.state === 'open' && fault === null) trade.openings += 1
        return says
      }),
    close: ({ attemptNo }) => {
      const asked = trades.get(attemptNo)
      if (asked !== undefined) asked.openings = 0
      return wire.call(process, 'close', attemptNo, (fault) => closed(parts, name, trades.get(attemptNo), fault))
    },
    refund: (ask) =>
      wire.call(process, 'refund', ask.attemptNo, (fault) => refunded(parts, ask, trades.get(ask.attemptNo), fault)),
    queryRefund: ({ attemptNo, paymentNo, refundNo }) =>
      wire.call(process, 'queryRefund', attemptNo, () => {
        const made = paymentNamed(trades.get(attemptNo), paymentNo)?.refunds.find(({ no }) => no === refundNo)
        if (made === undefined) return { kind: 'absent' }
        if (made.doneMs > now()) return { kind: 'processing' }
        return made.closes ? { kind: 'failed', why: 'CLOSED' } : { kind: 'done', amountFen: made.fen }
      }),
    async readWebhook({ body }) {
      const {
        attemptNo = '',
        paymentNo = '',
        refundNo,
      } = JSON.parse(body.toString()) as Record<string, string | undefined>
      if (refundNo !== undefined) return { kind: 'refund', refundNo }
      const payment = paymentNamed(trades.get(attemptNo), paymentNo)
      return payment === undefined
        ? { kind: 'forged', why: 'not paid' }
        : { kind: 'paid', attemptNo, payment: asTold(payment) }
    },
    replyToWebhook: (isAccepted) => ({ status: isAccepted ? 200 : 500, contentType: 'text/plain', body: '' }),
    fetchUpstreamBill: async () => ({ kind: 'none' }),
  }
}

function closed(
  { schedule, dice, observer }: Parts,
  name: ChannelName,
  trade: Trade | undefined,
  fault: Fault | null,
): CloseAnswer {
  const now = schedule.nowMs
  if (trade === undefined) {
    observer.quirk('a yes to closing what does not exist')
    return { kind: name === 'wechat' ? 'accepted' : 'absent' }
  }
  if (trade.state === 'paid') return { kind: 'paid' }
  if (trade.isCode) {
    observer.quirk('a close of a code that stays payable')
    return { kind: 'absent' }
  }
  if (fault === 'close does nothing') return { kind: 'accepted' }
  trade.state = 'closed'
  if (fault === 'close shown late') trade.shownOpenUntilMs = now() + dice.between(1000, 20_000)
  return { kind: 'accepted' }
}

function queried({ schedule, observer }: Parts, trade: Trade | undefined): QueryAnswer {
  const nowMs = schedule.nowMs()
  if (trade === undefined || trade.isCode) {
    observer.quirk('a query of what does not exist')
    return { kind: 'absent' }
  }
  const [first] = trade.payments
  if (first !== undefined) {
    // If a payment was sent back in full, Alipay calls the trade closed, and still names its payment.
    const isReturned = trade.channel === 'alipay' && isAllBack(first, nowMs)
    if (isReturned) observer.quirk('a paid trade that says it is closed')
    return { kind: isReturned ? 'returned' : 'paid', payment: asTold(first) }
  }
  const isShownOpen = trade.state === 'closed' && nowMs < trade.shownOpenUntilMs
  if (isShownOpen) observer.quirk('a closed trade that says it is open')
  return { kind: (trade.state === 'closed' && !isShownOpen) || trade.expireMs <= nowMs ? 'closed' : 'open' }
}

/** The upstream carries out a refund number only once, on the payment that the call names. */
function refunded(parts: Parts, ask: RefundAsk, trade: Trade | undefined, fault: Fault | null): RefundAnswer {
  const { schedule, observer } = parts
  const { paymentNo, refundNo } = ask
  const payment = paymentNamed(trade, paymentNo)
  if (trade === undefined || payment === undefined) return { kind: 'refused', why: 'NOT_PAID' }
  const before = payment.refunds.find(({ no }) => no === refundNo)
  if (before !== undefined) observer.quirk('a refund asked for again')
  const made = before ?? newRefund(parts, ask, { trade, payment }, fault)
  if (made === null) return { kind: 'refused', why: 'NOT_ENOUGH' }
  if (made.doneMs > schedule.nowMs()) return { kind: 'processing' }
  return made.closes ? { kind: 'refused', why: 'CLOSED' } : { kind: 'done' }
}

/** Null if the payment or the account has too little left. */
function newRefund(
  { schedule, dice, tell }: Parts,
  { refundNo, amountFen, reason }: RefundAsk,
  { trade, payment }: { trade: Trade; payment: Payment },
  fault: Fault | null,
): SentBack | null {
  const nowMs = schedule.nowMs()
  if (fault === 'refund refused') trade.poorUntilMs = nowMs + dice.between(1, dice.isOneIn(0.5) ? 5_000 : 90_000)
  if (nowMs < trade.poorUntilMs || backFen(payment) + amountFen > payment.amountFen) return null
  const lateMs = fault === 'refund under way' || fault === 'refund closed' ? dice.between(1000, 120_000) : 0
  const by = reason === REFUND_REASON ? 'merchant' : 'gateway'
  const refund: SentBack = { no: refundNo, fen: amountFen, doneMs: nowMs + lateMs, by }
  const made: SentBack = fault === 'refund closed' ? { ...refund, fen: 0n, closes: true } : refund
  payment.refunds.push(made)
  if (lateMs > 0) tell(trade.channel, JSON.stringify({ refundNo }), lateMs)
  return made
}

/** One attempt may have two payments. The upstream's own number tells them apart. */
const paymentNamed = (trade: Trade | undefined, paymentNo: string): Payment | undefined =>
  trade?.payments.find((payment) => payment.paymentNo === paymentNo)
