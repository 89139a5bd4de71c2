import { InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { describe, expect, it } from 'vitest'
import { type About, alongInLog, asOne, goingAlong, inSpan, onItsOwn, type Sampling } from './along.ts'
import { otelTracer } from './otel.ts'

const ABOUT: About = { kind: 'server', attributes: {} }
const TRACE = '0af7651916cd43dd8448eb211c80319c'
const caller = (flags: string): string => `00-${TRACE}-b7ad6b7169203331-${flags}`

function traced(sampling: Sampling, dice = 0.5) {
  const kept = new InMemorySpanExporter()
  const processor = new SimpleSpanProcessor(kept)
  const { tracer } = otelTracer({ processor, sampling, random: () => dice, version: '1', warn: () => {} })
  return { tracer, spans: () => kept.getFinishedSpans() }
}
const ALL: Sampling = { share: 1, heedsCaller: true }

describe('which traces are kept', () => {
  it('is for the share to say, whatever number and flag a caller sends', () => {
    const low = traced({ share: 0.01, heedsCaller: true })
    expect(low.tracer.begin('call', { ...ABOUT, parent: caller('01') })).toBeNull()
    expect(traced({ share: 0.6, heedsCaller: true }).tracer.begin('call', ABOUT)).not.toBeNull()
  })

  it('a caller may leave its trace out, where the sampler heeds callers', () => {
    const parent = caller('00')
    expect(traced(ALL).tracer.begin('call', { ...ABOUT, parent })).toBeNull()
    expect(traced({ share: 1, heedsCaller: false }).tracer.begin('call', { ...ABOUT, parent })?.traceId).toBe(TRACE)
  })

  it('what this gateway began is gone on with, and where it began nothing there is nothing', () => {
    const { tracer } = traced({ share: 0, heedsCaller: true })
    expect(tracer.begin('notify', { ...ABOUT, parent: caller('01'), isOurs: true })?.traceId).toBe(TRACE)
    expect(tracer.begin('notify', { ...ABOUT, parent: null, isOurs: true })).toBeNull()
  })
})

it("a caller's trace is gone on with; what is no traceparent begins a new one", () => {
  const { tracer } = traced(ALL)
  const idOf = (parent: string) => tracer.begin('call', { ...ABOUT, parent })?.traceId
  expect(idOf(caller('01'))).toBe(TRACE)
  expect(idOf(`cc${caller('01').slice(2)}-what a later version adds`)).toBe(TRACE)
  const wrong = ['', 'x', `ff${caller('01').slice(2)}`, `${caller('01')}-more`, caller('01').toUpperCase()]
  wrong.push(caller('01').replace(TRACE, '0'.repeat(32)), caller('01').replace('b7ad6b7169203331', '0'.repeat(16)))
  for (const parent of wrong) expect(idOf(parent)).toMatch(/^(?!0af765)[0-9a-f]{32}$/)
})

it('a trace has 500 spans below its first at most, and the work goes on without', async () => {
  const { tracer, spans } = traced(ALL)
  const trace = tracer.begin('job', ABOUT)
  await asOne('r1', trace, async () => {
    for (let one = 0; one < 600; one += 1) expect(await inSpan('step', ABOUT, async () => one)).toBe(one)
  })
  expect(spans().length).toBe(501)
})

it('work that fails marks its span with a class of errors, and says nothing of the text', async () => {
  const { tracer, spans } = traced(ALL)
  const failing = (error: unknown) =>
    asOne('r1', tracer.begin('call', ABOUT), () => inSpan('step', ABOUT, () => Promise.reject(error))).catch(() => {})
  await failing(Object.assign(new Error('a secret'), { code: '23505' }))
  await failing(new TypeError('a secret'))
  await failing('a secret')
  const steps = spans().filter(({ name }) => name === 'step')
  expect(steps.map(({ attributes }) => attributes['error.type'])).toEqual(['23505', 'TypeError', 'thrown'])
  expect(JSON.stringify(steps.map(({ attributes, status, events }) => [attributes, status, events]))).not.toContain(
    'secret',
  )
})

it('a line of the log has the id, and the trace where there is one; none outside of requests', async () => {
  expect(alongInLog()).toEqual({})
  await asOne('r1', null, async () => {
    expect(alongInLog()).toEqual({ requestId: 'r1' })
    expect(onItsOwn(alongInLog)).toEqual({})
  })
  const trace = traced(ALL).tracer.begin('call', { ...ABOUT, parent: caller('01') })
  const line = goingAlong({ requestId: 'r2', trace, span: trace }, alongInLog)
  expect(line).toEqual({ requestId: 'r2', trace_id: TRACE })
})
