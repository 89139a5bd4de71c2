import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { watchStatements } from '@acopay/store'
import { diag } from '@opentelemetry/api'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { manualClock } from '../../../../test/support/manual-clock.ts'
import { openTraces } from './open-traces.ts'

const lines: { msg: string; why: string }[] = []
const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
const opened: (() => Promise<unknown>)[] = []
let clock: ReturnType<typeof manualClock>
/** A collector that takes what comes and never answers. */
const silent = createServer()
beforeEach(async () => {
  clock = manualClock(new Date(0))
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  process.env.OTEL_EXPORTER_OTLP_ENDPOINT = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
})
afterEach(() => {
  delete process.env.OTEL_EXPORTER_OTLP_ENDPOINT
  watchStatements((_name, work) => work())
  silent.close()
  silent.closeAllConnections()
})

const open = () => {
  const steadyMs = (): number => clock.now().getTime()
  const traces = { share: 1, heedsCaller: true }
  return openTraces({ traces } as Parameters<typeof openTraces>[0], { log, sleep: clock.sleep, steadyMs }, opened)
}

it('what goes wrong with traces is told once a minute; a collector that says nothing delays a stop for three seconds', async () => {
  clock.advance(1)
  const tracer = await open()
  diag.error(JSON.stringify({ message: 'connect ECONNREFUSED', stack: 'at …' }))
  diag.error('again')
  expect(lines.map(({ msg, why }) => [msg, why])).toEqual([['traces are lost', 'connect ECONNREFUSED']])
  clock.advance(59_999)
  diag.warn('still')
  expect(lines).toHaveLength(1)
  clock.advance(1)
  diag.warn('later')
  expect(lines[1]).toMatchObject({ why: 'later' })

  tracer.begin('call', { kind: 'server', attributes: {} })?.end()
  let isClosed = false
  const asked = new Promise((resolve) => silent.once('request', resolve))
  const closed = opened[0]?.().then(() => {
    isClosed = true
  })
  await asked
  clock.advance(2999)
  await new Promise(setImmediate)
  expect(isClosed).toBe(false)
  clock.advance(1)
  await closed
})

it('where they are off nothing is opened', async () => {
  const before = opened.length
  const off = { traces: null } as Parameters<typeof openTraces>[0]
  const tracer = await openTraces(off, { log, sleep: clock.sleep, steadyMs: () => 0 }, opened)
  expect([tracer.begin('call', { kind: 'server', attributes: {} }), opened.length]).toEqual([null, before])
})
