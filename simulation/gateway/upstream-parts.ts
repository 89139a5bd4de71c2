/** What the parts of the simulated upstreams share. */
import type { ChannelName, WebhookReply } from '@acopay/channels'
import type { Fault, Network, Observer } from './network.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Trade } from './trades.ts'

export type UpstreamObserver = Observer & {
  /** Sends a webhook to a gateway process; null if none is alive. */
  notify: (channel: ChannelName, body: string) => Promise<WebhookReply | null>
  quirk: (what: string) => void
  /** A gateway calls: what it does must be written down by now. `no`: the attempt's number or the refund's. */
  called: (verb: 'open' | 'refund', no: string) => void
  /** The upstream's bill is not ready yet, or its answer is lost. */
  isBillLate: () => boolean
}

/** What all functions of the upstreams share. */
export type Parts = {
  schedule: Scheduler
  dice: Random
  observer: UpstreamObserver
  wire: Network
  trades: Map<string, Trade>
  tell: (channel: ChannelName, body: string, inMs: number) => void
  faults: readonly Fault[]
}
