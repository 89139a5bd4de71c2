/** What the processes of one gateway do together, as its HTTP side sees it; start/group connects them. */
import type { RateShare } from './rate-limit.ts'

export type SharedLimit = 'address' | 'merchant' | 'sign-in'

export type Together = {
  share: (limit: SharedLimit) => RateShare
  /** The metrics of all processes, as Prometheus reads them. */
  metricsText: () => Promise<string>
}
