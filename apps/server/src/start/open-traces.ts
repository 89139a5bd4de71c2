/** The traces, where an address for them is set (docs/traces.md). */

import { type Around, watchStatements } from '@acopay/store'
import { inSpan, NO_TRACES, onItsOwn, type Tracer } from '../tracing/along.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import type { Config } from './config.ts'

/** A collector that does not answer delays no stop for longer. */
const CLOSE_MS = 3000
/** What is wrong with them is told once in a while, not with every batch. */
const WARN_PAUSE_MS = 60_000

/** Adds to `opened` what closes them. The SDK reads the rest of its settings from the environment by itself. */
export async function openTraces(
  { traces }: Config,
  { log, sleep, steadyMs }: Pick<World, 'log' | 'sleep' | 'steadyMs'>,
  opened: (() => Promise<unknown>)[],
): Promise<Tracer> {
  if (traces === null) return NO_TRACES
  const [{ otelTracer }, { BatchSpanProcessor }, { OTLPTraceExporter }] = await Promise.all([
    import('../tracing/otel.ts'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ])
  let againMs = 0
  const warn = (why: string): void => {
    if (steadyMs() < againMs) return
    againMs = steadyMs() + WARN_PAUSE_MS
    onItsOwn(() => log.warn({ why: messageOf(why) }, 'traces are lost'))
  }
  const { tracer, close } = otelTracer({
    processor: new BatchSpanProcessor(new OTLPTraceExporter()),
    sampling: traces,
    random: Math.random,
    version: VERSION,
    warn,
  })
  watchStatements(statementSpan)
  opened.push(async () => {
    const giveUp = new AbortController()
    await Promise.race([close().catch(() => {}), sleep(CLOSE_MS, giveUp.signal)])
    giveUp.abort()
  })
  return tracer
}

/** A span for a statement. It has the statement's name, by which its text is found in packages/store, and none of its values. */
export const statementSpan: Around = (name, work) =>
  inSpan(name, { kind: 'client', attributes: { 'db.system.name': 'postgresql', 'db.query.summary': name } }, work)

/** The SDK tells an error as JSON with its stack. */
function messageOf(why: string): string {
  try {
    return String((JSON.parse(why) as { message?: string }).message)
  } catch {
    return why
  }
}
