/**
 * What is wrong with this process, as its own counters show it over the last minutes: what the rules of monitoring/acopay.rules.yml say of
 * a process, for an installation without Prometheus.
 */
import type { Registry } from 'prom-client'

export type Sign = { kind: string; subject: string }

/** `bad` of `all`, both counted since the start. */
type Share = Sign & { bad: number; all: number }
type Sample = { atMs: number; shares: Map<string, Share> }

type Rule = { share: number; badMin: number; windowMs: number }

const WINDOW_MS = 5 * 60_000
const RULES: Record<string, Rule> = {
  'system-errors': { share: 0.01, badMin: 3, windowMs: WINDOW_MS },
  'slow-closes': { share: 0.01, badMin: 3, windowMs: WINDOW_MS },
  'upstream-silent': { share: 0.2, badMin: 5, windowMs: WINDOW_MS },
  'upstream-resting': { share: 0, badMin: 1, windowMs: WINDOW_MS },
  // Counted in looks: every one of the last two or five minutes.
  'pool-full': { share: 0.999, badMin: 12, windowMs: 120_000 },
  busy: { share: 0.999, badMin: 30, windowMs: WINDOW_MS },
}

const SLOW_CLOSE_S = 5
const LAG_S = 0.25

type Value = { value: number; labels: Record<string, string | number>; metricName?: string }

/** `isWaiting`: whether a caller waits for a database connection. */
export function processSigns(registry: Registry, isWaiting: () => boolean): (nowMs: number) => Promise<Sign[]> {
  let samples: Sample[] = []
  const looks = { all: 0, waiting: 0, lagging: 0 }
  const valuesOf = async (name: string): Promise<Value[]> =>
    ((await registry.getSingleMetric(name)?.get())?.values ?? []) as Value[]

  async function look(): Promise<Share[]> {
    looks.all += 1
    if (isWaiting()) looks.waiting += 1
    const [lag] = await valuesOf('nodejs_eventloop_lag_p99_seconds')
    if ((lag?.value ?? 0) > LAG_S) looks.lagging += 1
    const calls = await valuesOf('acopay_calls_total')
    const upstream = await valuesOf('acopay_upstream_calls_total')
    const rests = await valuesOf('acopay_upstream_rests_total')
    const closes = await valuesOf('acopay_close_seconds')
    const quick = closes.filter(({ labels }) => labels.le === SLOW_CLOSE_S)
    const done = closes.filter(({ metricName }) => metricName === 'acopay_close_seconds_count')
    return [
      { kind: 'system-errors', subject: '', ...sharing(calls, 'SYSTEM_ERROR') },
      { kind: 'slow-closes', subject: '', bad: summed(done) - summed(quick), all: summed(done) },
      ...byChannel(upstream).map(([subject, some]) => ({
        kind: 'upstream-silent',
        subject,
        ...sharing(some, 'unknown'),
      })),
      ...byChannel(rests).map(([subject, some]) => ({
        kind: 'upstream-resting',
        subject,
        bad: summed(some),
        all: summed(some),
      })),
      { kind: 'pool-full', subject: '', bad: looks.waiting, all: looks.all },
      { kind: 'busy', subject: '', bad: looks.lagging, all: looks.all },
    ]
  }

  return async (nowMs) => {
    const shares = new Map((await look()).map((one) => [`${one.kind}/${one.subject}`, one]))
    samples = [...samples.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS), { atMs: nowMs, shares }]
    return [...shares].flatMap(([name, now]) => {
      const rule = RULES[now.kind] as Rule
      const before = samples.find(({ atMs }) => nowMs - atMs <= rule.windowMs)?.shares.get(name)
      const bad = now.bad - (before?.bad ?? 0)
      const all = now.all - (before?.all ?? 0)
      return bad >= rule.badMin && bad > rule.share * all ? [{ kind: now.kind, subject: now.subject }] : []
    })
  }
}

const summed = (values: Value[]): number => values.reduce((sum, { value }) => sum + value, 0)

const sharing = (values: Value[], badOutcome: string): { bad: number; all: number } => ({
  bad: summed(values.filter(({ labels }) => labels.outcome === badOutcome)),
  all: summed(values),
})

function byChannel(values: Value[]): [string, Value[]][] {
  const channels = [...new Set(values.map(({ labels }) => String(labels.channel)))]
  return channels.map((channel) => [channel, values.filter(({ labels }) => labels.channel === channel)])
}
