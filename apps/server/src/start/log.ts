/**
 * The log of one process: a line of JSON each, or on a terminal a line that people can read; and its metrics, which count the lines that
 * are worth an alert.
 */
import { type DestinationStream, type LogFn, pino } from 'pino'
import { type AlarmLines, alarmLines } from '../metrics/alarm-lines.ts'
import { type Metrics, metrics as newMetrics } from '../metrics/metrics.ts'
import { alongInLog } from '../tracing/along.ts'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import type { Config } from './config.ts'

/** Keeps keys, signatures and passwords out of the log, also where code logs them by mistake. */
const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', '*.connectionString']

export function openLog(
  { logLevel: level, mode }: Pick<Config, 'logLevel' | 'mode'>,
  output: DestinationStream,
  worker?: number,
): Pick<World, 'log' | 'metrics' | 'alarmLines'> {
  const metrics = newMetrics({ version: VERSION, mode })
  const lines = alarmLines()
  const base = { pid: process.pid, ...(worker === undefined ? {} : { worker }) }
  const hooks = { logMethod: noticingAlarms(metrics, lines) }
  return { log: pino({ level, base, redact: REDACTED, hooks, mixin: alongInLog }, output), metrics, alarmLines: lines }
}

/** The text of such a line is one of a few. A difference that a rule has settled is logged with `alarm: false`. */
const noticingAlarms = ({ alarm }: Metrics, { note }: AlarmLines) =>
  function notice(this: unknown, args: Parameters<LogFn>, method: LogFn): void {
    const [line, message] = args as unknown[]
    if (typeof line === 'object' && line !== null && 'alarm' in line && line.alarm === true) {
      alarm(String(message))
      note(line, String(message))
    }
    method.apply(this as never, args)
  }

/** Several processes write to one pipe: what is no longer than this never mixes with the lines of others. */
const PIPE_BYTES = 4096

/** People read a sandbox at their terminal; everything else is read by programs. */
export const isReadByPeople = (
  { logFormat, mode }: Pick<Config, 'logFormat' | 'mode'>,
  isTerminal: boolean,
): boolean => (logFormat === 'auto' ? isTerminal && mode === 'sandbox' : logFormat === 'pretty')

/** This process's standard output. The other format's code is not loaded. */
export const standardOutput = async (config: Config): Promise<DestinationStream> =>
  isReadByPeople(config, process.stdout.isTTY === true)
    ? readable({ destination: 1, colorize: process.stdout.isTTY === true })
    : pino.destination({ dest: 1, sync: false, maxWrite: PIPE_BYTES })

/** Lines of JSON go in, and each goes out at once as a line for people. */
export async function readable(to: {
  destination: number | NodeJS.WritableStream
  colorize: boolean
}): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ ...to, sync: true, singleLine: true, ignore: 'pid', translateTime: 'SYS:HH:MM:ss.l' })
}
