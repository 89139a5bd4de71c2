/**
 * The network to the upstreams. A call is sent, arrives, is carried out and is answered, and each of these can go wrong. A
 * call that was sent arrives even if its process has died.
 */
import { type Unknown, unknown } from '@acopay/channels'
import type { Random } from './random.ts'
import type { Process, Scheduler } from './scheduler.ts'

export const FAULTS = [
  'request lost',
  'request late',
  'answer lost',
  'answer late',
  'failed before',
  'failed after',
  'create lands late',
  'close shown late',
  'close does nothing',
  'refund under way',
  'refund refused',
  'webhook lost',
  'webhook doubled',
  'webhook late',
  'paid although closed',
  'paid twice',
  'returned at once',
  'wrong amount',
  'refund closed',
  'refund slow',
  'refund in doubt',
  'answer forged',
  'other number',
  'odd answer',
  'webhook forged',
] as const
export type Fault = (typeof FAULTS)[number]

/** These came later, and a seed draws them apart from the others: see later-faults.ts. */
export const LATER_FAULTS: readonly Fault[] = [
  'refund slow',
  'refund in doubt',
  'answer forged',
  'other number',
  'odd answer',
  'webhook forged',
]

export const VERBS = ['open', 'query', 'close', 'refund', 'queryRefund'] as const
export type Verb = (typeof VERBS)[number]

/** The calls in which each fault can happen. */
const SENSIBLE: Partial<Record<Fault, readonly Verb[]>> = {
  'request lost': VERBS,
  // It arrives after the gateway has stopped waiting, and before the longest time that a call may take.
  'request late': ['close', 'refund'],
  'answer lost': VERBS,
  'answer late': VERBS,
  'failed before': VERBS,
  'failed after': VERBS,
  'create lands late': ['open'],
  'close shown late': ['close'],
  'close does nothing': ['close'],
  'refund under way': ['refund'],
  'refund refused': ['refund'],
  'refund closed': ['refund'],
  'refund in doubt': ['refund'],
  // The call is carried out, and a stranger answers in the upstream's place: without its signature, and not the truth.
  'answer forged': VERBS,
  // The upstream signs an answer to another question.
  'other number': ['query', 'refund', 'queryRefund'],
  // It is carried out, and the answer has a word, an amount or a time that the manual does not know.
  'odd answer': VERBS,
}

const UNANSWERED: readonly (Fault | null)[] = ['answer lost', 'create lands late']

/** How long an answer takes, where it is not the usual time. */
const ANSWERED_IN_MS: Partial<Record<Fault, [leastMs: number, mostMs: number]>> = {
  'failed before': [5, 100],
  'failed after': [5, 100],
  'answer late': [1500, 9000],
}
const USUALLY_IN_MS = [5, 300] as const

export const CREATE_LANDS_MS = 60_000

export type Chosen = { seed: number; faults: Fault[]; rate: number }

/** What an upstream says, before it is put into its words. The fault decides how it says it. */
export type Heard<Answer> = { says: Answer | Unknown; fault: Fault | null }

/** Where faults happen besides calls. */
export type Phase = 'webhook' | 'pay'

/** Between writing and calling, while it waits for the answer, or between the answer and writing it down. */
export type Death = { when: 'before the call' | 'with the answer' } | { when: 'during the call'; afterMs: number }

export type Observer = {
  /** A fault happened in a phase: for the coverage. */
  fault: (fault: Fault, phase: Verb | Phase) => void
  /** When the process that makes this call dies during it; null if it does not. */
  deathAt: (verb: Verb) => Death | null
  crash: (process: Process) => void
  story: (line: string) => void
  waiting: () => void
}

/** This call is rare. A higher rate makes sure that its faults come up at all. */
function rateOf(verb: Verb, { faults, rate }: Chosen): number {
  const isRare = verb === 'queryRefund' || (verb === 'refund' && faults.includes('refund in doubt'))
  return isRare ? Math.max(rate, 0.6) : rate
}

export type Network = ReturnType<typeof network>

export function network(schedule: Scheduler, dice: Random, chosen: Chosen, observer: Observer) {
  let isResting = false
  const now = schedule.nowMs
  /** The attempts with a refund call that was sent and has not arrived yet. */
  const onTheWay = new Set<string>()

  function draw(verb: Verb, no: string, tempting: readonly Fault[]): Fault | null {
    // A refusal while an earlier call is still on its way could mislead the gateway to call the refund failed.
    const isOnTheWay = verb === 'refund' && onTheWay.has(no)
    const tempted = [...tempting, ...(isOnTheWay ? (['refund refused'] as const) : [])]
    const likely = tempted.filter((fault) => chosen.faults.includes(fault))
    if (likely.length > 0 && !isResting && dice.isOneIn(0.5)) {
      const fault = dice.pick(likely)
      observer.fault(fault, verb)
      return fault
    }
    const able = chosen.faults.filter((fault) => SENSIBLE[fault]?.includes(verb))
    if (isResting || able.length === 0 || !dice.isOneIn(rateOf(verb, chosen))) return null
    const fault = dice.pick(able)
    observer.fault(fault, verb)
    return fault
  }

  /** Sends one call to an upstream and answers what comes back of it. `tempting`: faults that could do most harm now. */
  function call<Answer extends { kind: string }>(
    process: Process,
    verb: Verb,
    { no, tempting = [] }: { no: string; tempting?: readonly Fault[] },
    work: (fault: Fault | null) => Answer,
  ): Promise<Heard<Answer>> {
    observer.waiting()
    const fault = draw(verb, no, tempting)
    const death = observer.deathAt(verb)
    if (death?.when === 'before the call') {
      observer.crash(process)
      return new Promise(() => {})
    }
    if (death?.when === 'during the call') schedule.at(now() + death.afterMs, process, () => observer.crash(process))
    if (verb === 'refund' && fault === 'request late') onTheWay.add(no)
    return new Promise((resolve) => {
      const answer = (ms: number, says: Answer | Unknown): void =>
        void schedule.at(now() + ms, process, () => {
          const mishap = fault === null ? '' : ` (${fault})`
          observer.story(`${process.name}: upstream answers ${verb} ${no.slice(-6)}: ${says.kind}${mishap}`)
          if (death?.when === 'with the answer') observer.crash(process)
          else resolve({ says, fault })
        })
      if (fault === 'request lost') return
      const isLate = fault === 'create lands late' || fault === 'request late'
      schedule.at(now() + (isLate ? dice.between(2500, CREATE_LANDS_MS) : dice.between(5, 200)), null, () => {
        if (verb === 'refund') onTheWay.delete(no)
        arrive(dice, fault, work, answer)
      })
    })
  }

  return {
    call,
    drawOne(fault: Fault, phase: Phase): boolean {
      const isIt = !isResting && chosen.faults.includes(fault) && dice.isOneIn(2 * chosen.rate)
      if (isIt) observer.fault(fault, phase)
      return isIt
    },
    /** Faults end. */
    rest(): void {
      isResting = true
    },
  }
}

/** The upstream carries out the call and answers, unless the fault prevents it. */
function arrive<Answer extends { kind: string }>(
  dice: Random,
  fault: Fault | null,
  work: (fault: Fault | null) => Answer,
  answer: (ms: number, says: Answer | Unknown) => void,
): void {
  const failed = unknown(fault ?? '')
  // An answer to another question: this one was not heard.
  const isUnheard = fault === 'failed before' || (fault === 'other number' && dice.isOneIn(0.5))
  const says = isUnheard ? failed : work(fault)
  if (UNANSWERED.includes(fault)) return
  const [leastMs, mostMs] = (fault === null ? null : ANSWERED_IN_MS[fault]) ?? USUALLY_IN_MS
  answer(dice.between(leastMs, mostMs), fault === 'failed after' ? failed : says)
}
