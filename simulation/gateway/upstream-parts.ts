/** What the parts of the simulated upstreams share. */
import type { ChannelName, RawWebhook, UpstreamBillLine, WebhookReply } from '@acopay/channels'
import type { Fault, Network, Observer } from './network.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trade } from './trades.ts'

export type UpstreamObserver = Observer & {
  /** Sends a webhook to a gateway process; null if none is alive. `news`: null if a stranger sends it. */
  notify: (channel: ChannelName, raw: RawWebhook, news: News | null) => Promise<WebhookReply | null>
  quirk: (what: string) => void
  /** A gateway calls: what it does must be written down by now. `no`: the attempt's number or the refund's. */
  called: (verb: 'open' | 'refund', no: string) => void
  bills: {
    /** The bill is not ready yet, or its answer is lost. */
    isBillLate: () => boolean
    /** The bill has a line about a payment that was never made: a bill is not signed. */
    isBillForged: () => boolean
  }
}

/** What an upstream tells of by a webhook: a payment, or a refund that has ended. */
export type News = { attemptNo: string; paymentNo: string } | { refundNo: string }

/** A bill's line about a payment. */
export type UpstreamPaymentLine = Extract<UpstreamBillLine, { kind: 'payment' }>

/** What all functions of the upstreams share. */
export type Parts = {
  schedule: Scheduler
  dice: Random
  observer: UpstreamObserver
  wire: Network
  trades: Map<string, Trade>
  tell: (channel: ChannelName, news: News, inMs: number) => void
  /** A stranger tells of a payment that was never made. */
  forge: (channel: ChannelName, no: string) => void
  /** Chooses among the words in which the same thing can be said. */
  wording: Random
  /** Lines of bills about payments that were never made, by channel and day. */
  forged: Map<string, UpstreamPaymentLine>
  /** WeChat Pay's bills, by their hashes. */
  files: Map<string, Buffer>
  faults: readonly Fault[]
}
