/** Traces (docs/traces.md): a request, its statements, its upstream calls and the notification that follows are one trace. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { watchStatements } from '@acopay/store'
import { SpanStatusCode } from '@opentelemetry/api'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { statementSpan } from '../apps/server/src/start/open-traces.ts'
import { otelTracer } from '../apps/server/src/tracing/otel.ts'
import { testGateway } from './support/gateway.ts'
import { call, close, openAttempt, pay, place } from './support/merchant.ts'
import { type Receiver, receiver, SAYS_HEARD } from './support/receiver.ts'
import { type TestWorld, testWorld } from './support/world.ts'

const kept = new InMemorySpanExporter()
const { tracer } = otelTracer({
  processor: new SimpleSpanProcessor(kept),
  sampling: { share: 1, heedsCaller: true },
  random: () => 0,
  version: '1',
  warn: () => {},
})

const METRICS = 'a-token-of-the-tests'

let test: TestWorld
let merchant: Receiver
const parents: (string | undefined)[] = []
beforeAll(async () => {
  test = await testWorld({ tracer, env: { ACOPAY_METRICS_TOKEN: METRICS } })
  watchStatements(statementSpan)
  merchant = await receiver(test.demo.platformPublicKey)
  merchant.answer((told, response, request) => {
    parents.push(request.headers.traceparent as string | undefined)
    SAYS_HEARD(told, response)
  })
})
beforeEach(() => kept.reset())
afterAll(async () => {
  watchStatements((_name, work) => work())
  await merchant.stop()
  await test.stop()
})

const traceOf = (span: ReadableSpan | undefined): string => span?.spanContext().traceId ?? ''
const named = (name: string) => kept.getFinishedSpans().filter((span) => span.name === name)
const inTrace = (trace: string) =>
  kept
    .getFinishedSpans()
    .filter((span) => traceOf(span) === trace)
    .map(({ name }) => name)
/** A trace whose first span has ended: that happens after the answer has left. */
const ended = (name: string) => expect.poll(() => named(name).length).toBeGreaterThan(0)

const MERCHANTS = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

it("a close goes on with the merchant's trace: with its statements and its calls to the upstream", async () => {
  const order = await place(test.demo)
  await openAttempt(test.demo, order)
  // So that this call reads the merchant.
  test.world.merchants.forget(test.demo.mchNo)
  const params = { transaction_no: order }
  await call(test.demo, { method: 'POST', path: 'close', params, headers: { traceparent: MERCHANTS } })
  await ended('POST /pay/v1/transactions/close')
  const [first] = named('POST /pay/v1/transactions/close')
  expect([traceOf(first), first?.parentSpanContext?.spanId]).toEqual(MERCHANTS.split('-').slice(1, 3))
  expect(first?.attributes).toMatchObject({
    'http.request.method': 'POST',
    'http.route': '/pay/v1/transactions/close',
    'http.response.status_code': 200,
    'acopay.outcome': 'SUCCESS',
    'acopay.way': 'full',
    'acopay.transaction_no': order,
  })
  expect(first?.status).toEqual({ code: SpanStatusCode.UNSET })
  const names = inTrace(traceOf(first))
  for (const name of ['merchant', 'close', 'lockOrder', 'commit', 'wechat query', 'wechat close']) {
    expect(names).toContain(name)
  }
  const line = test.logged().findLast(({ msg }) => msg === 'request')
  expect(line).toMatchObject({ trace_id: traceOf(first), requestId: first?.attributes['acopay.request_id'] })
})

it('a notification is sent in the trace of what it tells of, and with its id', async () => {
  const order = await place(test.demo, { notify_url: merchant.url })
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
  await test.runJobs()
  const [hook] = named('POST /notify/:channel/:mchNo')
  expect(inTrace(traceOf(hook))).toEqual(expect.arrayContaining(['moveOrder', 'insertNotification', 'notify']))
  const [sent] = named('notify')
  expect(sent?.parentSpanContext?.spanId).toBe(hook?.spanContext().spanId)
  expect(parents.at(-1)).toBe(`00-${traceOf(hook)}-${sent?.spanContext().spanId}-01`)
  const lines = test.logged().filter(({ transactionNo, msg }) => transactionNo === order && msg === 'notification')
  expect(lines).toMatchObject([{ requestId: hook?.attributes['acopay.request_id'], trace_id: traceOf(hook) }])
})

it('each of the callers who share a statement has it in its own trace, linked with the others', async () => {
  const orders = await Promise.all(Array.from({ length: 8 }, () => place(test.demo)))
  kept.reset()
  await Promise.all(orders.map((order) => close(test.demo, order)))
  await expect.poll(() => named('POST /pay/v1/transactions/close').length).toBe(8)
  const shared = named('close')
  expect(new Set(shared.map(traceOf)).size).toBe(8)
  const together = shared.filter(({ attributes }) => Number(attributes['acopay.shared_by']) > 1)
  expect(together.length).toBeGreaterThan(1)
  for (const { links } of together) expect(links.length).toBeGreaterThan(0)
})

it('a run of a job is a trace of its own, with an id in its lines', async () => {
  const order = await place(test.demo, { time_expire: new Date(test.world.now().getTime() + 60_000).toISOString() })
  await openAttempt(test.demo, order)
  test.advance(120_000)
  await test.runJobs()
  const [run] = named('job shut_attempts')
  expect(inTrace(traceOf(run))).toContain('wechat query')
  const line = test.logged().find(({ msg, subject }) => msg === 'job' && subject === order)
  expect(line).toMatchObject({ trace_id: traceOf(run), requestId: expect.stringMatching(/^[0-9a-f]{32}$/) })
})

it('what monitors ask is no trace, nor is an address that is none', async () => {
  for (const path of ['/healthz', '/readyz', '/nothing/here']) await fetch(test.demo.baseUrl + path)
  const headers = { authorization: `Bearer ${METRICS}` }
  expect((await fetch(`${test.demo.baseUrl}/metrics`, { headers })).status).toBe(200)
  await place(test.demo)
  await ended('POST /pay/v1/transactions/trade')
  const first = kept.getFinishedSpans().filter(({ parentSpanContext }) => parentSpanContext === undefined)
  expect(first.map(({ name }) => name)).toEqual(['POST /pay/v1/transactions/trade'])
})

it('no span holds a key, a signature, an address, or what a request said', async () => {
  const order = await place(test.demo, { notify_url: merchant.url, description: 'very private', extra: 'very private' })
  await pay(test.demo, order, (await openAttempt(test.demo, order)) ?? '')
  await test.runJobs()
  const text = JSON.stringify(
    kept.getFinishedSpans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
  )
  expect(text).toContain(order)
  for (const secret of ['very private', merchant.url, 'select ', '127.0.0.1/', test.demo.mchPrivateKey]) {
    expect(text).not.toContain(secret)
  }
})

it('without traces each line of a request and of its notification has the one id, and nothing is sent along', async () => {
  const off = await testWorld()
  const ears = await receiver(off.demo.platformPublicKey)
  let header: string | undefined
  ears.answer((told, response, request) => {
    header = request.headers.traceparent as string | undefined
    SAYS_HEARD(told, response)
  })
  const order = await place(off.demo, { notify_url: ears.url })
  await pay(off.demo, order, (await openAttempt(off.demo, order)) ?? '')
  await off.runJobs()
  const lines = off.logged().filter(({ transactionNo }) => transactionNo === order)
  const idOf = (msg: string, path?: string) => lines.find((line) => line.msg === msg && line.path === path)?.requestId
  expect(idOf('notification')).toBe(lines.find(({ path }) => String(path).startsWith('/notify/'))?.requestId)
  expect(idOf('notification')).toMatch(/^[0-9a-f-]{36}$/)
  expect(off.logged().some((line) => 'trace_id' in line)).toBe(false)
  expect(header).toBeUndefined()
  await ears.stop()
  await off.stop()
})

it('the spans reach a collector that OTEL_EXPORTER_OTLP_ENDPOINT names, and a stop sends the last', async () => {
  const bodies: string[] = []
  const collector = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    bodies.push(`${request.url} ${Buffer.concat(chunks)}`)
    response.setHeader('content-type', 'application/json').end('{}')
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = endpoint
  process.env.OTEL_SERVICE_NAME = 'pay-eu'
  try {
    const own = await testGateway({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
    await place(own.demo)
    await own.stop()
  } finally {
    delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
    delete process.env.OTEL_SERVICE_NAME
    collector.close()
  }
  const text = bodies.join('')
  expect(text).toContain('/v1/traces')
  expect(text).toContain('POST /pay/v1/transactions/trade')
  expect(text).toContain('pay-eu')
})
