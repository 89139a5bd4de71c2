/**
 * What this process counts for Prometheus. docs/metrics.md tells each name, and what is read from the database at a scrape
 * (backlog.ts). Every label has a bounded number of values: none holds a merchant, a number or a text that a caller wrote.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = {
  /** A call of the transactions API. `outcome`: the business result or the error's name. `by`: whether its signature proved a merchant. */
  call: (call: { call: string; outcome: string; by: 'merchant' | 'stranger' }, seconds: number) => void
  /** How a close went: `cheap` (no attempt was ever opened), `full`, or `processing` (it goes on). */
  close: (way: CloseWay, seconds: number) => void
  /** A call to an upstream that was made. `outcome`: the kind of its answer, `unknown` where there is none. */
  upstreamCall: (call: { channel: string; verb: string }, outcome: string, seconds: number) => void
  /** No calls are made for an account for a while. */
  upstreamRest: (channel: string) => void
  /** How many accounts rest now, by channel. */
  watchRests: (count: () => ReadonlyMap<string, number>) => void
  /** A try to send a notification. */
  notification: (outcome: 'delivered' | 'failed') => void
  /** Rows of this table were older than their retention. */
  forgotten: (of: string, rows: number) => void
  job: (kind: string, outcome: string) => void
  /** A log line that is worth an alert, by its text. */
  alarm: (message: string) => void
  /** How many callers share one statement. */
  batch: (of: string, size: number) => void
  registry: Registry
}

export type CloseWay = 'cheap' | 'full' | 'processing'

const SECONDS = [0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]

const LAGS = ['', '_mean', '_stddev', '_p50', '_p90', '_p99'].map((part) => `nodejs_eventloop_lag${part}_seconds`)

let processRegistry: Registry | null = null

/** Node's own metrics. Their clocks and observers never end, so that a process has them once, however many gateways it starts. */
function ofThisProcess(): Registry {
  if (processRegistry !== null) return processRegistry
  processRegistry = new Registry()
  collectDefaultMetrics({ register: processRegistry })
  // Of several processes the slowest counts: an average would hide it.
  for (const name of LAGS) Object.assign(processRegistry.getSingleMetric(name) ?? {}, { aggregator: 'max' })
  return processRegistry
}

/** `version`: of the gateway. */
export function metrics({ version, mode }: { version: string; mode: string }): Metrics {
  const registry = new Registry()
  const registers = [registry]
  const shared = ofThisProcess()
  for (const { name } of shared.getMetricsAsArray()) registry.registerMetric(shared.getSingleMetric(name) as Gauge)
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `acopay_${name}`, help, labelNames, registers })
  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[], buckets = SECONDS) =>
    new Histogram({ name: `acopay_${name}`, help, labelNames, registers, buckets })

  const info = new Gauge({
    ...{ name: 'acopay_info', help: 'Always 1.', labelNames: ['version', 'mode'], registers },
    aggregator: 'first',
  })
  info.set({ version, mode }, 1)
  const calls = counter('calls_total', 'Calls of the transactions API.', ['call', 'outcome', 'by'])
  const callSeconds = histogram('call_seconds', 'How long they took.', ['call'])
  const closeSeconds = histogram('close_seconds', 'How long closes took, by way.', ['way'])
  const upstreamCalls = counter('upstream_calls_total', 'Calls to upstreams.', ['channel', 'verb', 'outcome'])
  const upstreamSeconds = histogram('upstream_call_seconds', 'How long they took.', ['channel', 'verb'])
  const rests = counter('upstream_rests_total', 'How often calls of an account were halted for a while.', ['channel'])
  let resting: () => ReadonlyMap<string, number> = () => new Map()
  new Gauge({
    name: 'acopay_upstream_resting',
    help: 'Accounts for which no calls are made now.',
    labelNames: ['channel'],
    aggregator: 'max',
    registers,
    collect() {
      for (const [channel, accounts] of resting()) this.set({ channel }, accounts)
    },
  })
  const notifications = counter('notification_tries_total', 'Tries to send a notification.', ['outcome'])
  const forgotten = counter('forgotten_rows_total', 'Rows removed because they were older than their retention.', [
    'of',
  ])
  const jobs = counter('jobs_total', 'Runs of jobs.', ['kind', 'outcome'])
  const alarms = counter('alarms_total', 'Log lines that are worth an alert.', ['message'])
  const batches = histogram('batch_size', 'Callers who share a statement.', ['of'], SIZES)
  return {
    call({ call, outcome, by }, seconds) {
      calls.inc({ call, outcome, by })
      callSeconds.observe({ call }, seconds)
    },
    close: (way, seconds) => closeSeconds.observe({ way }, seconds),
    upstreamCall({ channel, verb }, outcome, seconds) {
      upstreamCalls.inc({ channel, verb, outcome })
      upstreamSeconds.observe({ channel, verb }, seconds)
    },
    upstreamRest: (channel) => rests.inc({ channel }),
    watchRests(count) {
      resting = count
    },
    notification: (outcome) => notifications.inc({ outcome }),
    forgotten: (of, rows) => forgotten.inc({ of }, rows),
    job: (kind, outcome) => jobs.inc({ kind, outcome }),
    alarm: (message) => alarms.inc({ message }),
    batch: (of, size) => batches.observe({ of }, size),
    registry,
  }
}
