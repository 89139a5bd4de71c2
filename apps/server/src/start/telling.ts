/**
 * What the processes of one installation tell each other, on one machine by way of their parent and beyond it by way of the database: what
 * they let through under a limit, and which accounts with upstreams fail.
 */
import type { RateShare } from '../http/rate-limit.ts'
import type { SharedLimit, TakenFrom } from '../http/together.ts'
import type { RestShare, RestTold } from '../upstream/circuit-breaker.ts'

export type Told =
  | ({ what: 'taken' } & TakenFrom)
  | ({ what: 'rest' } & RestTold)
  /** How many machines, or processes that stand alone, are active now, this one included. */
  | { what: 'machines'; count: number }

export type Bus = {
  /** Processes of this machine that share this bus. */
  processes: number
  tell: (told: Told) => void
  /** `listener` is called with what each of the others tells. */
  hear: (listener: (told: Told) => void) => void
}

export type Shares = { limit: (limit: SharedLimit) => RateShare; rests: RestShare }

export function sharesOf(bus: Bus): Shares {
  let machines = 1
  bus.hear((told) => {
    if (told.what === 'machines') machines = told.count
  })
  return {
    limit: (limit) => ({
      processes: bus.processes,
      machines: () => machines,
      tell: (taken) => bus.tell({ what: 'taken', limit, ...taken }),
      hear: (listener) =>
        bus.hear((told) => {
          if (told.what === 'taken' && told.limit === limit) listener(told)
        }),
    }),
    rests: {
      tell: (rest) => bus.tell({ what: 'rest', ...rest }),
      hear: (listener) =>
        bus.hear((told) => {
          if (told.what === 'rest') listener(told)
        }),
    },
  }
}
