/**
 * What goes along with a request or a run of a job, through everything that it calls: its id, which stands in each line of the log, and the
 * span that it is in where it is traced (docs/traces.md). Tracing is by hand, at the few doors through which everything passes.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

type SpanKind = 'server' | 'client' | 'consumer' | 'internal'
type Attributes = Record<string, string | number>

export type Span = {
  traceId: string
  /** This span as the header of the standard (W3C Trace Context). */
  traceparent: string
  /** A span below this one; null once the trace is long enough. */
  child: (name: string, about: About) => Span | null
  set: (attributes: Attributes) => void
  link: (other: Span) => void
  /** `failure`: a code or a class of errors, never a text. */
  end: (failure?: string) => void
}

export type About = { kind: SpanKind; attributes: Attributes }

/** `parent`: where the trace was begun before. `isOurs`: by this gateway, which has decided then that it is kept. */
type Begun = { parent?: string | null; isOurs?: boolean }

export type Tracer = {
  /** The first span here; null where it is not one of those that are kept. */
  begin: (name: string, about: About & Begun) => Span | null
}

/** Which traces are kept. `share`: of all, from 0 to 1. */
export type Sampling = {
  share: number
  /** Whether a caller's trace that the caller does not keep is not kept here either. */
  heedsCaller: boolean
}

export const NO_TRACES: Tracer = { begin: () => null }

/** `trace` is the first span here, `span` the one that is under way. */
export type Along = { requestId: string; trace: Span | null; span: Span | null }

const alongs = new AsyncLocalStorage<Along | undefined>()

export const along = (): Along | undefined => alongs.getStore()

/** What is stored with a thing that is told later, so that its tries go on with this request's id and trace. */
export const causeNow = (): { requestId: string | null; traceparent: string | null } => {
  const here = along()
  return { requestId: here?.requestId ?? null, traceparent: here?.trace?.traceparent ?? null }
}

/** Runs `work` as a part of this request or run. */
export const goingAlong = <Result>(what: Along | undefined, work: () => Result): Result => alongs.run(what, work)

/** Runs `work` as a part of none: what begins here goes on after the request that happened to begin it. */
export const onItsOwn = <Result>(work: () => Result): Result => alongs.run(undefined, work)

/** Runs `work` with an id and a trace of its own, and ends the trace. */
export async function asOne<Result>(
  requestId: string,
  trace: Span | null,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await alongs.run({ requestId, trace, span: trace }, work)
  } finally {
    trace?.end()
  }
}

/** For each line of the log (pino's `mixin`, which wants a new object each time). */
export function alongInLog(): object {
  const here = alongs.getStore()
  if (here === undefined) return {}
  return here.trace === null
    ? { requestId: here.requestId }
    : { requestId: here.requestId, trace_id: here.trace.traceId }
}

/** Runs `work` in a span of its own, where there is a trace. */
export function inSpan<Result>(
  name: string,
  about: About,
  work: (span: Span | null) => Promise<Result>,
): Promise<Result> {
  const here = alongs.getStore()
  const span = here?.span?.child(name, about)
  return here && span ? ended(span, () => alongs.run({ ...here, span }, () => work(span))) : work(null)
}

/**
 * Runs `work` for several callers at once: in a span of the first that is traced, linked with one of each other. Each of these lasts as long
 * as the work, so that no trace has a hole.
 */
export function inSharedSpan<Result>(
  name: string,
  callers: (Along | undefined)[],
  work: () => Promise<Result>,
): Promise<Result> {
  const traced = callers.filter((caller) => caller?.span)
  const about: About = { kind: 'internal', attributes: { 'acopay.shared_by': callers.length } }
  const [first, ...others] = traced.flatMap((caller) => {
    const span = caller?.span?.child(name, about)
    return caller && span ? [{ caller, span }] : []
  })
  // Nothing is traced: a single caller's request id still goes along, and with several callers none does.
  if (first === undefined) return alongs.run(callers.length === 1 ? callers[0] : undefined, work)
  for (const { span } of others) {
    first.span.link(span)
    span.link(first.span)
  }
  const run = () => alongs.run({ ...first.caller, span: first.span }, work)
  return others.reduce(
    (inner, { span }) =>
      () =>
        ended(span, inner),
    () => ended(first.span, run),
  )()
}

async function ended<Result>(span: Span, work: () => Promise<Result>): Promise<Result> {
  try {
    const result = await work()
    span.end()
    return result
  } catch (error) {
    span.end(failureOf(error))
    throw error
  }
}

const failureOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'thrown'
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
