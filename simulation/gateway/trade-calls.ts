/** What the simulated upstreams do with a call about a trade, before the answer is put into an upstream's own words. */
import type { ChannelName } from '@acopay/channels'
import type { Fault, Heard } from './network.ts'
import { paymentNamed } from './refunds.ts'
import type { Process } from './scheduler.ts'
import { isAllBack, newTrade, type Payment, type Trade } from './trades.ts'
import type { Parts } from './upstream-parts.ts'

export type Opening = { no: string; fen: bigint; expireMs: number }

/** The trade in which this payment was made. */
export const tradeOf = ({ trades }: Parts, paymentNo: string): Trade | undefined =>
  [...trades.values()].find((trade) => paymentNamed(trade, paymentNo) !== undefined)

export function callOpen(
  parts: Parts,
  gateway: Process,
  channel: ChannelName,
  opening: Opening,
): Promise<Heard<{ kind: 'opened' }>> {
  parts.observer.called('open', opening.no)
  return parts.wire.call(gateway, 'open', opening, () => opened(parts, channel, opening))
}

export function callClose(parts: Parts, gateway: Process, channel: ChannelName, no: string): Promise<Heard<Closed>> {
  const asked = parts.trades.get(no)
  if (asked !== undefined) asked.openings = 0
  return parts.wire.call(gateway, 'close', { no }, (fault) => closed(parts, channel, parts.trades.get(no), fault))
}

export function callQuery(parts: Parts, gateway: Process, no: string, paymentNo?: string): Promise<Heard<Queried>> {
  return parts.wire.call(gateway, 'query', { no, tempting: temptingAbout(parts.trades.get(no)) }, (fault) => {
    const trade = parts.trades.get(no)
    const says = queried(parts, trade, paymentNo)
    // Count only an answer that surely reaches the gateway; one that dies forgets what it was told.
    if (says.kind === 'open' && trade?.state === 'open' && fault === null && gateway.isAlive) {
      trade.openings += 1
      gateway.whenDead.push(() => {
        trade.openings = 0
      })
    }
    return says
  })
}

/** Where a wrong answer would do harm: of a payment, and of a trade that any payer can pay. */
function temptingAbout(trade: Trade | undefined): Fault[] {
  if (trade === undefined || trade.isCode) return []
  if (trade.state === 'open') return ['other number', 'odd answer']
  return trade.state === 'paid' ? ['odd answer'] : []
}

/** A number that is used again gets the trade that it got the first time. */
function opened(
  { trades, schedule, observer, wire, forge }: Parts,
  channel: ChannelName,
  { no, fen, expireMs }: Opening,
): { kind: 'opened' } {
  const isCode = channel === 'alipay'
  if (isCode) observer.quirk('a code that is no trade yet')
  if (!trades.has(no)) trades.set(no, newTrade({ no, channel, fen, expireMs, isCode }, schedule.nowMs()))
  if (wire.drawOne('webhook forged', 'webhook')) forge(channel, no)
  return { kind: 'opened' }
}

export type Closed = { kind: 'accepted' | 'absent' | 'paid' }

function closed(
  { schedule, dice, observer }: Parts,
  name: ChannelName,
  trade: Trade | undefined,
  fault: Fault | null,
): Closed {
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

export type Queried =
  | { kind: 'absent' }
  | { kind: 'open' | 'closed'; trade: Trade }
  | { kind: 'paid' | 'returned'; trade: Trade; payment: Payment }

/** `paymentNo`: the payment that is asked about; undefined for the trade, whose first payment is shown then. */
function queried(parts: Parts, trade: Trade | undefined, paymentNo?: string): Queried {
  const { schedule, observer } = parts
  const nowMs = schedule.nowMs()
  if (trade === undefined || trade.isCode) {
    observer.quirk('a query of what does not exist')
    return { kind: 'absent' }
  }
  const payment = paymentNo === undefined ? trade.payments[0] : paymentNamed(trade, paymentNo)
  if (payment !== undefined) {
    // If a payment was sent back in full, Alipay calls the trade closed, and still names its payment.
    const isReturned = trade.channel === 'alipay' && isAllBack(payment, nowMs)
    if (isReturned) observer.quirk('a paid trade that says it is closed')
    return { kind: isReturned ? 'returned' : 'paid', trade, payment }
  }
  const isShownOpen = trade.state === 'closed' && nowMs < trade.shownOpenUntilMs
  if (isShownOpen) observer.quirk('a closed trade that says it is open')
  const isClosed = (trade.state === 'closed' && !isShownOpen) || trade.expireMs <= nowMs
  return { kind: isClosed ? 'closed' : 'open', trade }
}
