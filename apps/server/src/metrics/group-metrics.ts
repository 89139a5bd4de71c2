/**
 * The metrics of a gateway of several processes, as one. Counters of a process that has ended stay in the sum: a sum that falls is read as a
 * restart by Prometheus, which then counts all of it again.
 */
import { AggregatorRegistry, type MetricObjectWithValues, type MetricValue, type Registry } from 'prom-client'

/** What one process has counted and read; goes from process to process as JSON. */
export type MetricsPart = MetricObjectWithValues<MetricValue<string>>[]

export const partOf = async (...registries: Registry[]): Promise<MetricsPart> =>
  (await Promise.all(registries.map((registry) => registry.getMetricsAsJSON()))).flat()

export type GroupMetrics = {
  /** Keeps what a process has told last. */
  told: (process: number, part: MetricsPart) => void
  /** The process has ended: what it counted counts on. */
  ended: (process: number) => Promise<void>
  /** `fresh`: the parts that were told for this scrape. Of other processes that run, what they had counted when they told last. */
  text: (fresh: ReadonlyMap<number, MetricsPart>) => Promise<string>
}

export function groupMetrics(own: Registry): GroupMetrics {
  const last = new Map<number, MetricsPart>()
  let departed: MetricsPart = []
  return {
    told: (process, part) => void last.set(process, part),
    async ended(process) {
      const counted = countedIn(last.get(process) ?? [])
      last.delete(process)
      departed = counted.length === 0 ? departed : await sumOf([departed, counted]).getMetricsAsJSON()
    },
    async text(fresh) {
      const silent = [...last].filter(([process]) => !fresh.has(process)).map(([, part]) => countedIn(part))
      return sumOf([await partOf(own), departed, ...silent, ...fresh.values()]).metrics()
    },
  }
}

const sumOf = (parts: MetricsPart[]): Registry => AggregatorRegistry.aggregate(parts)

/** What only ever grows. */
const countedIn = (part: MetricsPart): MetricsPart =>
  // As JSON the type is a word, whatever its type says.
  part.filter(({ type }) => ['counter', 'histogram'].includes(String(type)))
