/** Both upstreams with their quirks, and the payers. They keep what they know when a gateway process dies. */
import type { Channel, ChannelName, CloseAnswer, QueryAnswer } from '@acopay/channels'
import { billOf } from './bill.ts'
import { type Chosen, type Fault, network } from './network.ts'
import type { Random } from './random.ts'
import { paymentNamed } from './refunds.ts'
import type { Process, Scheduler } from './scheduler.ts'
import { asTold, isAllBack, newTrade, type Payment, sendRestBack, type Trade } from './trades.ts'
import type { Parts, UpstreamObserver } from './upstream-parts.ts'
import { realChannel } from './words.ts'

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
  /** A payment after the watch, of which only the bill tells; false if the attempt has one. */
  payUnheard: (no: string) => boolean
  trades: () => Trade[]
  /** Faults end. */
  rest: () => void
}

const WATCH_MS = 10 * 60_000

export function upstream(schedule: Scheduler, dice: Random, chosen: Chosen, observer: UpstreamObserver): Upstream {
  const trades = new Map<string, Trade>()
  const channels = new Map<string, Channel>()
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
  const parts: Parts = { schedule, dice, observer, wire, trades, tell, faults: chosen.faults }
  return {
    channelOf(process, name) {
      const key = `${process.name} ${name}`
      const channel = channels.get(key) ?? channelOf(parts, process, name)
      channels.set(key, channel)
      return channel
    },
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
}: Parts): Pick<Upstream, 'scan' | 'pay' | 'sendBack' | 'payUnheard'> {
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
    payUnheard(no) {
      const trade = trades.get(no)
      if (trade === undefined || trade.state === 'paid') return false
      Object.assign(book(trade, trade.fen), { isUnheard: true })
      trade.state = 'paid'
      trade.isCode = false
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
    ...realChannel(parts, process, name),
    methods: ['native'],
    latePaymentWindowMs: WATCH_MS,
    open: async ({ attemptNo: no, amountFen, expireAt }) => {
      observer.called('open', no)
      return wire.call(process, 'open', no, () => {
        const isCode = name === 'alipay'
        if (isCode) observer.quirk('a code that is no trade yet')
        trades.set(no, newTrade({ no, channel: name, fen: amountFen, expireMs: expireAt.getTime(), isCode }, now()))
        return { kind: 'opened', payUrl: `pay:${no}` }
      })
    },
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
    fetchUpstreamBill: (day) => billOf(parts, process, name, day),
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
