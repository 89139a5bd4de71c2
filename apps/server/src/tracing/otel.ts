/** Traces by OpenTelemetry. Loaded only where they are on. */
import {
  diag,
  type SpanKind as OtelKind,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { AlwaysOnSampler, BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { About, Sampling, Span, Tracer } from './along.ts'

type Parts = {
  processor: SpanProcessor
  sampling: Sampling
  random: () => number
  version: string
  /** Hears what goes wrong with traces. */
  warn: (why: string) => void
}

/** Of one request or run. A bill of a million lines would make as many. */
const SPANS_MAX = 500

export function otelTracer({ processor, sampling, random, version, warn }: Parts): {
  tracer: Tracer
  close: () => Promise<void>
} {
  const quiet = (): void => {}
  diag.setLogger({ error: warn, warn, info: quiet, debug: quiet, verbose: quiet }, { suppressOverrideMessage: true })
  const named = resourceFromAttributes({ 'service.name': 'acopay', 'service.version': version })
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    // Who is kept is decided before a span is made: most requests make none.
    sampler: new AlwaysOnSampler(),
    spanProcessors: [processor],
  })
  const otel = provider.getTracer('acopay', version)

  const start = (name: string, { kind, attributes }: About, parent: SpanContext | null): OtelSpan => {
    const context = parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, parent)
    return otel.startSpan(name, { kind: KINDS[kind], attributes }, context)
  }
  const spanOf = (span: OtelSpan, left: { spans: number }): Made => ({
    of: span.spanContext(),
    traceId: span.spanContext().traceId,
    traceparent: textOf(span.spanContext()),
    child(name, about) {
      if (left.spans === 0) return null
      left.spans -= 1
      return spanOf(start(name, about, span.spanContext()), left)
    },
    set: (attributes) => void span.setAttributes(attributes),
    link: (other) => void span.addLink({ context: (other as Made).of }),
    end(failure) {
      if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute('error.type', failure)
      span.end()
    },
  })

  /**
   * A caller may ask that its trace is not kept, but cannot ask that it is: the caller's signature is not checked yet, and strangers must not fill the store of traces. For
   * the same reason the caller's number decides nothing.
   */
  const isKept = (parent: SpanContext | null): boolean => {
    if (parent !== null && sampling.heedsCaller && (parent.traceFlags & TraceFlags.SAMPLED) === 0) return false
    return random() < sampling.share
  }
  return {
    tracer: {
      begin(name, { parent: text, isOurs = false, ...about }) {
        const parent = text ? contextOf(text) : null
        if (isOurs ? parent === null : !isKept(parent)) return null
        return spanOf(start(name, about, parent), { spans: SPANS_MAX })
      },
    },
    close: () => provider.shutdown(),
  }
}

type Made = Span & { of: SpanContext }

const KINDS: Record<About['kind'], OtelKind> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

const textOf = ({ traceId, spanId, traceFlags }: SpanContext): string =>
  `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`

/** A `traceparent` of this version of the standard or a later one; null for anything else. */
function contextOf(text: string): SpanContext | null {
  const found = /^(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/.exec(text)
  if (found === null) return null
  const [, version, traceId = '', spanId = '', flags = '', more] = found
  const context = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true }
  const isRight = trace.isSpanContextValid(context) && (version !== '00' || more === undefined)
  return isRight ? context : null
}
