/** One call to a stand-in, with the fault that happens to it. */
import type { Fault, Verb } from './faults.ts'
import type { StandInWorld, UpstreamReply } from './stand-in.ts'

export type How = 'well' | 'unreadable' | 'bad_signature'

/**
 * `work` does it and says what is answered; it is given the fault where that changes what is done. `render` writes and
 * signs the answer; `failure` is the platform's own 'something went wrong'.
 */
export async function misbehaving<Answer>(
  { faults, sleep }: StandInWorld,
  call: { verb: Verb; no: string },
  work: (fault: Fault | null) => Promise<Answer>,
  render: (answer: Answer, how: How) => UpstreamReply,
  failure: Answer,
): Promise<UpstreamReply | null> {
  const fault = faults.pick(call.verb, call.no)
  if (fault?.kind === 'error_before') return render(failure, 'well')
  const answer = await work(fault)
  switch (fault?.kind) {
    case 'error_after':
      return render(failure, 'well')
    case 'lost_answer':
    case 'lands_late':
      return null
    case 'slow_answer':
      await sleep(fault.ms ?? 1000)
      return render(answer, 'well')
    case 'unreadable':
    case 'bad_signature':
      return render(answer, fault.kind)
    default:
      return render(answer, 'well')
  }
}
