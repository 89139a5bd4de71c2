/** Sandbox mode only: the faults of the upstreams, the same in every process of a gateway, although the upstreams run in one of them. */
import type { ChannelName } from '@acopay/channels'
import type { Fault, Faults } from '@acopay/upstreams'

export type SharedFaults = { say: 'faults'; channel: ChannelName; faults: Fault[] }

export type FaultShare = {
  tell: (changed: SharedFaults) => void
  /** `listener` is called with what another process has changed. */
  hear: (listener: (changed: SharedFaults) => void) => void
}

export function sharedFaults(channel: ChannelName, faults: Faults, share: FaultShare): Faults {
  const tell = (): void => share.tell({ say: 'faults', channel, faults: faults.list() })
  share.hear((changed) => {
    if (changed.channel === channel) faults.set(changed.faults)
  })
  return {
    ...faults,
    set(next) {
      faults.set(next)
      tell()
    },
    pick(...call) {
      const found = faults.pick(...call)
      if (found?.times !== undefined) tell()
      return found
    },
  }
}
