/** What the processes of one gateway do together, as its HTTP side sees it; start/ connects them. */
import type { RateShare, Taken } from './rate-limit.ts'

export type SharedLimit = 'address' | 'merchant' | 'sign-in'

export type TakenFrom = Taken & { limit: SharedLimit }

/** A limit's counts as all processes of the installation share them. */
export type LimitShare = (limit: SharedLimit) => RateShare

export type Together = {
  /** The metrics of all processes, as Prometheus reads them. */
  metricsText: () => Promise<string>
}
