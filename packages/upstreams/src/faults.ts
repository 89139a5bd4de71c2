/** What goes wrong on purpose: for one trade, or by probability and seed. */

export const FAULTS = [
  /** The work is done, the answer never comes. */
  'lost_answer',
  /** The work is done, the answer comes after `ms`. */
  'slow_answer',
  /** Nothing is done, a 500 comes. */
  'error_before',
  /** The work is done, a 500 comes. */
  'error_after',
  /** The work is done, the answer is no JSON. */
  'unreadable',
  /** The work is done, the answer's signature is wrong. */
  'bad_signature',
  /** A create: no answer, and the work is done `ms` later, whatever was asked meanwhile, a close included. */
  'lands_late',
  /** A close: the answer says yes and the trade is closed, but for `ms` a query still says that it is open. */
  'closes_late',
  /** A close: the answer says yes, and nothing was done. */
  'closes_never',
  /** A refund: the answer says that it is under way, and it is done `ms` later. */
  'refunds_late',
  /** A notification: sent twice at once. */
  'twin',
  /** A notification: not sent, nor ever again. */
  'silence',
] as const
export type FaultKind = (typeof FAULTS)[number]

export type Verb = 'create' | 'query' | 'close' | 'refund' | 'query_refund' | 'bill' | 'notify'

export type Fault = {
  kind: FaultKind
  /** What it happens to; left out: every verb it makes sense for. */
  verb?: Verb
  /** The merchant's number of the trade; left out: every trade. */
  tradeNo?: string
  /** 0 … 1, default 1. */
  probability?: number
  /** How often it still happens; left out: always. */
  times?: number
  /** For those that speak of time. */
  ms?: number
}

const SENSIBLE: Record<FaultKind, (verb: Verb) => boolean> = {
  lost_answer: (verb) => verb !== 'notify',
  slow_answer: (verb) => verb !== 'notify',
  error_before: (verb) => verb !== 'notify',
  error_after: (verb) => verb !== 'notify',
  unreadable: (verb) => verb !== 'notify',
  bad_signature: (verb) => verb !== 'notify',
  lands_late: (verb) => verb === 'create',
  closes_late: (verb) => verb === 'close',
  closes_never: (verb) => verb === 'close',
  refunds_late: (verb) => verb === 'refund',
  twin: (verb) => verb === 'notify',
  silence: (verb) => verb === 'notify',
}

export type Faults = {
  set: (faults: Fault[]) => void
  list: () => Fault[]
  /** The fault that happens to this call, if any; counts it. */
  pick: (verb: Verb, tradeNo: string) => Fault | null
}

/** The same seed and the same calls give the same faults. */
export function seededFaults(seed: number): Faults {
  let faults: Fault[] = []
  const dice = mulberry32(seed)
  return {
    set: (next) => {
      faults = structuredClone(next)
    },
    list: () => structuredClone(faults),
    pick(verb, tradeNo) {
      const found = faults.find(
        (fault) =>
          (fault.verb ?? verb) === verb &&
          SENSIBLE[fault.kind](verb) &&
          (fault.tradeNo ?? tradeNo) === tradeNo &&
          (fault.times ?? 1) > 0 &&
          dice() < (fault.probability ?? 1),
      )
      if (found === undefined) return null
      if (found.times !== undefined) found.times -= 1
      return { ...found }
    },
  }
}

function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
