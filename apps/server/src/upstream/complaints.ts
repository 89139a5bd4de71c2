/**
 * Notices when an upstream refuses an account's requests as such: an unsigned answer such as `SIGN_ERROR`. It decides nothing
 * about a payment, so every call stays unknown; the operator has to hear of it.
 */
import type { Channel } from '@acopay/channels'

/** Called with the upstream's word when it begins to complain, and with null when the same kind of call is answered again. */
export type Note = (complaint: string | null) => Promise<void>

export function withComplaints(channel: Channel, note: Note): Channel {
  /** What was noted last; undefined: nothing yet, and an earlier process may have noted something. */
  let last: string | null | undefined
  /** The verbs that were refused since the last answer. Others may well be answered all the while. */
  const refused = new Set<string>()

  const noticed =
    <Ask, Answer extends { kind: string; complaint?: string }>(
      verb: string,
      call: (ask: Ask, signal: AbortSignal) => Promise<Answer>,
    ) =>
    async (ask: Ask, signal: AbortSignal): Promise<Answer> => {
      const answer = await call(ask, signal)
      const { complaint } = answer
      if (complaint !== undefined) {
        refused.add(verb)
        if (complaint !== last) await note(complaint)
        last = complaint
      } else if (answer.kind !== 'unknown' && (last === undefined || refused.has(verb))) {
        refused.clear()
        last = null
        await note(null)
      }
      return answer
    }

  return {
    ...channel,
    open: noticed('open', channel.open),
    query: noticed('query', channel.query),
    close: noticed('close', channel.close),
    refund: noticed('refund', channel.refund),
    queryRefund: noticed('queryRefund', channel.queryRefund),
    fetchUpstreamBill: noticed('fetchUpstreamBill', channel.fetchUpstreamBill),
  }
}
