import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { groupMetrics, type MetricsPart, partOf } from './group-metrics.ts'
import { type Metrics, metrics as newMetrics } from './metrics.ts'

const ofProcess = (): Metrics => newMetrics({ version: '1', mode: 'production' })

const call = ({ call: count }: Metrics): void => count({ call: 'close', outcome: 'SUCCESS', by: 'merchant' }, 0.01)

const CALLS = 'acopay_calls_total{call="close",outcome="SUCCESS",by="merchant"}'

const valuesIn = (text: string): Record<string, number> =>
  Object.fromEntries(
    text
      .split('\n')
      .filter((line) => /^\w/.test(line))
      .map((line) => [line.replace(/ \S+$/, ''), Number(line.split(' ').at(-1))]),
  )

it('counts of several processes add up, also those of a process that has ended or does not answer', async () => {
  const group = groupMetrics(new Registry())
  const processes = [ofProcess(), ofProcess(), ofProcess()]
  const scraped = async (...answering: number[]) => {
    const fresh = new Map<number, MetricsPart>()
    for (const id of answering) {
      const part = await partOf((processes[id] as Metrics).registry)
      // As it comes from another process.
      fresh.set(id, JSON.parse(JSON.stringify(part)) as MetricsPart)
      group.told(id, fresh.get(id) as MetricsPart)
    }
    return valuesIn(await group.text(fresh))
  }
  for (const one of processes) call(one)
  expect((await scraped(0, 1, 2))[CALLS]).toBe(3)
  call(processes[0] as Metrics)
  expect((await scraped(0, 1))[CALLS]).toBe(4)
  await group.ended(0)
  await group.ended(2)
  const later = await scraped(1)
  expect(later[CALLS]).toBe(4)
  expect(later['acopay_call_seconds_bucket{le="0.01",call="close"}']).toBe(4)
  expect(later['acopay_call_seconds_count{call="close"}']).toBe(4)
})

it('what is no count is said of processes that run: once for all of them, or the worst', async () => {
  const group = groupMetrics(ofProcess().registry)
  const one = await partOf(ofProcess().registry)
  const busy = JSON.parse(JSON.stringify(one)) as MetricsPart
  for (const metric of busy)
    if (metric.name === 'nodejs_eventloop_lag_p99_seconds') metric.values = [{ value: 9, labels: {} }]
  group.told(7, one)
  await group.ended(7)
  const values = valuesIn(
    await group.text(
      new Map([
        [1, one],
        [2, busy],
      ]),
    ),
  )
  expect(values['acopay_info{version="1",mode="production"}']).toBe(1)
  expect(values.nodejs_eventloop_lag_p99_seconds).toBe(9)
  const memory = one.find(({ name }) => name === 'nodejs_heap_size_total_bytes')?.values[0]?.value ?? 0
  expect(values.nodejs_heap_size_total_bytes).toBeGreaterThan(2 * memory)
  expect(values.nodejs_heap_size_total_bytes).toBeLessThan(4 * memory)
})
