/** Counts, times and traces the calls that are made to an upstream. */
import type { Channel } from '@acopay/channels'
import type { Metrics } from '../metrics/metrics.ts'
import { inSpan } from '../tracing/along.ts'

export function counted(name: string, channel: Channel, metrics: Metrics): Channel {
  const timed =
    <Ask, Answer extends { kind: string }>(
      verb: string,
      call: (ask: Ask, signal: AbortSignal) => Promise<Answer>,
    ): ((ask: Ask, signal: AbortSignal) => Promise<Answer>) =>
    async (ask, signal) => {
      const startMs = performance.now()
      // A channel that throws has no answer.
      let outcome = 'unknown'
      try {
        const attributes = { 'acopay.channel': name, 'acopay.verb': verb }
        return await inSpan(`${name} ${verb}`, { kind: 'client', attributes }, async (span) => {
          const answer = await call(ask, signal)
          outcome = answer.kind
          span?.set({ 'acopay.outcome': outcome })
          return answer
        })
      } finally {
        metrics.upstreamCall({ channel: name, verb }, outcome, (performance.now() - startMs) / 1000)
      }
    }
  return {
    ...channel,
    open: timed('open', channel.open),
    query: timed('query', channel.query),
    close: timed('close', channel.close),
    refund: timed('refund', channel.refund),
    queryRefund: timed('query_refund', channel.queryRefund),
    fetchUpstreamBill: timed('bill', channel.fetchUpstreamBill),
  }
}
