/** Faults that a simulator makes on purpose: for one trade, or by probability and seed. */

export const FAULTS = [
  /** The upstream carries the call out; no answer comes. */
  'lost_answer',
  /** The upstream carries the call out and answers after `ms`. */
  'slow_answer',
  /** The upstream does nothing and answers with its own error, such as a 500. */
  'error_before',
  /** The upstream carries the call out and answers with its own error, such as a 500. */
  'error_after',
  /** The upstream carries the call out; the answer is not JSON. */
  'unreadable',
  /** The upstream carries the call out; the answer's signature is wrong. */
  'bad_signature',
  /**
   * A create: no answer comes, and the trade exists only `ms` later. Calls in between, also a close, do not find it.
   */
  'lands_late',
  /** A close: the trade is closed, but for `ms` a query still answers that it is open. */
  'closes_late',
  /** A close: the upstream answers success and does nothing. */
  'closes_never',
  /** A refund: the answer is `in progress`; the refund is done `ms` later. */
  'refunds_late',
  /**
   * A refund: the answer is a refusal (`word`), no query shows the refund, and it is done `ms` later all the same.
   */
  'refused_then_done',
  /**
   * A refund: the upstream refuses another refund of one payment for `ms` (a minute) after the one before, since there were too
   * many requests.
   */
  'refunds_spaced',
  /** The upstream does nothing and answers with `word`, signed. */
  'says',
  /** The upstream does nothing and answers with `word`, without a signature: it did not accept the request as the merchant's. */
  'unsigned',
  /** The upstream carries the call out; the answer is about another number than the one that was asked about. */
  'other_number',
  /** Alipay: answers and notifications are in GBK, with its signature over these bytes. */
  'gbk',
  /**
   * A notification: WeChat Pay first sends it with a signature that is none, to see whether it is verified, and rightly signed
   * only when it would send it again.
   */
  'probe',
  /** A notification: the upstream sends it twice at the same time. */
  'twin',
  /** A notification: the upstream never sends it. */
  'silence',
] as const
export type FaultKind = (typeof FAULTS)[number]

export type Verb = 'create' | 'query' | 'close' | 'refund' | 'query_refund' | 'bill' | 'notify'

export type Fault = {
  kind: FaultKind
  /** The call it happens to; absent: every call for which the fault makes sense. */
  verb?: Verb
  /** The merchant's number of the trade; absent: every trade. */
  tradeNo?: string
  /** 0 to 1; default 1. */
  probability?: number
  /** How many times it still happens; absent: always. */
  times?: number
  /** For faults with a time; default 1000. */
  ms?: number
  /** For faults with a word: the one that the upstream says; default: its own for an error of the system. */
  word?: string
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
  refused_then_done: (verb) => verb === 'refund',
  refunds_spaced: (verb) => verb === 'refund',
  says: (verb) => verb !== 'notify',
  unsigned: (verb) => verb !== 'notify',
  other_number: (verb) => verb !== 'notify',
  gbk: () => true,
  probe: (verb) => verb === 'notify',
  twin: (verb) => verb === 'notify',
  silence: (verb) => verb === 'notify',
}

export type Faults = {
  set: (faults: Fault[]) => void
  list: () => Fault[]
  /** The fault that happens to this call, if any; of one kind, where one is named. Reduces its `times`. */
  pick: (verb: Verb, tradeNo: string, kind?: FaultKind) => Fault | null
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
    pick(verb, tradeNo, kind) {
      const found = faults.find(
        (fault) =>
          (fault.verb ?? verb) === verb &&
          (kind === undefined ? !(fault.kind === 'gbk' && verb === 'notify') : fault.kind === kind) &&
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
