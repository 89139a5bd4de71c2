import { expect, it } from 'vitest'
import { metrics } from './metrics.ts'

it("gateways of one process share Node's own metrics, whose clocks never end, and count everything else apart", async () => {
  const [one, other] = [1, 2].map(() => metrics({ version: '0', mode: 'sandbox' }).registry)
  const shared = (name: string) => one?.getSingleMetric(name) === other?.getSingleMetric(name)
  expect(shared('nodejs_eventloop_lag_seconds')).toBe(true)
  expect(shared('nodejs_gc_duration_seconds')).toBe(true)
  expect(shared('acopay_calls_total')).toBe(false)
  expect(await other?.metrics()).toMatch(/^nodejs_eventloop_lag_p99_seconds \d/m)
})
