/**
 * Both upstreams with their quirks, and the payers. They keep what they know when a gateway process dies. The gateways talk
 * to them through the real channels, in the upstreams' own words (wechat-words.ts, alipay-words.ts), signed as the upstreams
 * sign: a channel that takes "perhaps" for "no", or believes a stranger, is seen here too.
 */
import { type Channel, type ChannelName, makeChannel, type WebhookReply } from '@acopay/channels'
import { alipayAnswered, alipayWebhook, forgedAlipayWebhook } from './alipay-words.ts'
import { alipayBillOf } from './bill.ts'
import { type Chosen, network } from './network.ts'
import { type Random, random } from './random.ts'
import type { Process, Scheduler } from './scheduler.ts'
import { type Payment, sendRestBack, type Trade } from './trades.ts'
import type { News, Parts, UpstreamObserver } from './upstream-parts.ts'
import { forgedWechatWebhook, wechatAnswered, wechatWebhook } from './wechat-words.ts'
import { type Asked, type Reply, SETTINGS, signHere } from './wire-identity.ts'

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
  /** The payments that bills list and that were never made. */
  forged: () => string[]
  /** Faults end. */
  rest: () => void
}

const WATCH_MS = 10 * 60_000

export function upstream(schedule: Scheduler, dice: Random, chosen: Chosen, observer: UpstreamObserver): Upstream {
  const trades = new Map<string, Trade>()
  const channels = new Map<string, Channel>()
  const wording = random(chosen.seed, 'words')
  /** Sends a webhook, and again after growing pauses until a gateway accepts it. */
  function tell(channel: ChannelName, news: News, inMs: number, tries = 1): void {
    schedule.at(schedule.nowMs() + inMs, null, () => {
      const raw = channel === 'wechat' ? wechatWebhook(parts, news) : alipayWebhook(parts, news)
      // Not awaited: other events go on while the gateway works on it.
      void (raw === null ? null : observer.notify(channel, raw, news))?.then((reply) => {
        if (!isAcknowledged(reply) && tries < 8) tell(channel, news, 15_000 * 2 ** tries, tries + 1)
      })
    })
  }
  function forge(channel: ChannelName, no: string): void {
    schedule.at(schedule.nowMs() + wording.between(20, 60_000), null, () => {
      const raw = channel === 'wechat' ? forgedWechatWebhook(parts, no) : forgedAlipayWebhook(no)
      void observer.notify(channel, raw, null)
    })
  }
  const wire = network(schedule, dice, chosen, observer)
  const parts: Parts = {
    schedule,
    dice,
    observer,
    wire,
    trades,
    tell,
    forge,
    wording,
    faults: chosen.faults,
    forged: new Map(),
    files: new Map(),
  }
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
    forged: () => [...parts.forged.values()].map(({ paymentNo }) => paymentNo),
    rest: wire.rest,
  }
}

/** WeChat Pay reads the status, Alipay the text. */
export const isAcknowledged = (reply: WebhookReply | null): boolean =>
  reply !== null && reply.status === 200 && reply.body !== 'failure'

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
      tell(trade.channel, { attemptNo: trade.no, paymentNo }, lateMs)
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
  const answered = name === 'wechat' ? wechatAnswered : alipayAnswered
  const now = (): Date => new Date(parts.schedule.nowMs())
  const door = { fetch: overWire(parts, process, answered), now, newNonce: () => 'nonce', sign: signHere }
  return {
    ...makeChannel(name, SETTINGS[name], door),
    ...(name === 'alipay' ? { fetchUpstreamBill: (day) => alipayBillOf(parts, process, day) } : {}),
    methods: ['native'],
    latePaymentWindowMs: WATCH_MS,
  }
}

type Answered = (parts: Parts, gateway: Process, asked: Asked) => Promise<Reply>

/** Whoever gives up hears nothing more, and asks nothing more. */
const overWire =
  (parts: Parts, process: Process, answered: Answered): typeof fetch =>
  (address, { body = '', signal = null } = {}) =>
    new Promise((resolve, reject) => {
      const giveUp = (): void => reject(new Error('given up'))
      if (signal?.aborted === true) return giveUp()
      signal?.addEventListener('abort', giveUp, { once: true })
      answered(parts, process, { url: new URL(String(address)), body: String(body) }).then(
        ({ status, headers, text }) => resolve(new Response(text.length === 0 ? null : text, { status, headers })),
        reject,
      )
    })
