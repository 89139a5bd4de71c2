/** One call to a simulator, with the fault that happens to it. */
import type { Fault, Verb } from './faults.ts'
import type { UpstreamReply } from './stand-in.ts'
import type { StandInWorld } from './stand-in-world.ts'

export type How = 'well' | 'unreadable' | 'bad_signature' | 'unsigned' | 'other_number' | 'gbk'

export type Exchange<Answer> = {
  /** Carries the call out. It is given the fault, since some faults change what is done. */
  work: (fault: Fault | null) => Promise<Answer>
  /** Writes and signs the answer, well or badly. */
  render: (answer: Answer, how: How) => UpstreamReply
  /** The platform's answer with this word; without one, for an error of its own. */
  failure: (word?: string) => Answer
}

/** Null when the fault is that no answer comes. */
export async function misbehaving<Answer>(
  { faults, sleep }: StandInWorld,
  call: { verb: Verb; no: string },
  { work, render, failure }: Exchange<Answer>,
): Promise<UpstreamReply | null> {
  const fault = faults.pick(call.verb, call.no)
  if (fault?.kind === 'error_before') return render(failure(), 'well')
  if (fault?.kind === 'says') return render(failure(fault.word), 'well')
  if (fault?.kind === 'unsigned') return render(failure(fault.word), 'unsigned')
  const answer = await work(fault)
  switch (fault?.kind) {
    case 'error_after':
      return render(failure(), 'well')
    case 'refused_then_done':
      return render(failure(fault.word), 'well')
    case 'lost_answer':
    case 'lands_late':
      return null
    case 'slow_answer':
      await sleep(fault.ms ?? 1000)
      return render(answer, 'well')
    case 'unreadable':
    case 'bad_signature':
    case 'other_number':
    case 'gbk':
      return render(answer, fault.kind)
    default:
      return render(answer, 'well')
  }
}

const NUMBERS = ['out_trade_no', 'out_refund_no', 'out_request_no', 'transaction_id', 'trade_no']

/** The answer as if it were about another number. */
export const ofAnother = (answer: object): object =>
  Object.fromEntries(
    Object.entries(answer).map(([name, value]) => [
      name,
      NUMBERS.includes(name) ? `${String(value).slice(0, -1)}X` : value,
    ]),
  )
