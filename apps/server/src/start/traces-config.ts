/** The settings of traces, by the names of OpenTelemetry's standard (docs/traces.md). */
import type { Sampling } from '../tracing/along.ts'
import { ConfigError } from './config-error.ts'

type Env = Record<string, string | undefined>

/** What a sampler of the standard keeps of the traces that begin here; `ratio`: as OTEL_TRACES_SAMPLER_ARG says. */
const SAMPLERS: Record<string, number | 'ratio'> = { always_on: 1, always_off: 0, traceidratio: 'ratio' }
const PARENT_BASED = 'parentbased_'

/** Null where they are off. */
export function readTraces(env: Env): Sampling | null {
  const endpoint = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].find((name) => env[name])
  if (endpoint === undefined || env.OTEL_SDK_DISABLED === 'true' || env.OTEL_TRACES_EXPORTER === 'none') return null
  if (!/^https?:\/\//.test(env[endpoint] ?? '') || !URL.canParse(env[endpoint] ?? '')) {
    // The error does not repeat the value, because it may contain a password.
    throw new ConfigError(`${endpoint} 应为网址 (should be a URL), e.g. http://127.0.0.1:4318`)
  }
  const sampler = env.OTEL_TRACES_SAMPLER || `${PARENT_BASED}always_on`
  const heedsCaller = sampler.startsWith(PARENT_BASED)
  const share = SAMPLERS[heedsCaller ? sampler.slice(PARENT_BASED.length) : sampler]
  if (share === undefined) {
    const words = Object.keys(SAMPLERS).flatMap((word) => [word, PARENT_BASED + word])
    throw new ConfigError(`OTEL_TRACES_SAMPLER 应为 (one of) ${words.join(' | ')}; got "${sampler}"`)
  }
  return { share: share === 'ratio' ? readShare(env.OTEL_TRACES_SAMPLER_ARG || '1') : share, heedsCaller }
}

function readShare(text: string): number {
  const share = Number(text)
  if (/^\d*\.?\d+$/.test(text) && share <= 1) return share
  throw new ConfigError(`OTEL_TRACES_SAMPLER_ARG 应为 0 到 1 的数 (a number from 0 to 1); got "${text}"`)
}
