/** The log of one process: JSON lines; and its metrics, which count the lines that are worth an alert. */
import { type DestinationStream, type LogFn, pino } from 'pino'
import { type Metrics, metrics as newMetrics } from '../metrics/metrics.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import type { Config } from './config.ts'

/** Keeps keys, signatures and passwords out of the log, also where code logs them by mistake. */
const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', '*.connectionString']

export function openLog({ logLevel: level, mode }: Config, output: DestinationStream): Pick<World, 'log' | 'metrics'> {
  const metrics = newMetrics({ version: VERSION, mode })
  const base = { pid: process.pid }
  const hooks = { logMethod: countingAlarms(metrics) }
  return { log: pino({ level, base, redact: REDACTED, hooks }, output), metrics }
}

/** The text of such a line is one of a few. */
const countingAlarms = ({ alarm }: Metrics) =>
  function count(this: unknown, args: Parameters<LogFn>, method: LogFn): void {
    const [line, message] = args as unknown[]
    if (typeof line === 'object' && line !== null && 'alarm' in line) alarm(String(message))
    method.apply(this as never, args)
  }
