/** What is measured of a system beside the gateway. */
import type { Text } from '../work/names.ts'
import type { Prepared } from '../work/works.ts'

export type OpenedPeer = {
  subject: string
  /** What of it cannot be compared. */
  unlike: Text
  cpuUs: () => number
  place: (count: number) => Promise<Prepared>
  close: (count: number) => Promise<Prepared>
  stop: () => Promise<unknown>
}
