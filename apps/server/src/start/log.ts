/** The log: a line of JSON each, or on a terminal a line that people can read. */
import { type DestinationStream, pino } from 'pino'
import type { World } from '../world.ts'
import type { Config } from './config.ts'

/** Keeps keys, signatures and passwords out of the log, also where code logs them by mistake. */
const REDACTED = ['*.privateKey', '*.mchPrivateKey', '*.password', '*.sign', '*.connectionString']

export const openLog = (level: string, output: DestinationStream): World['log'] =>
  pino({ level, base: { pid: process.pid }, redact: REDACTED }, output)

/** People read a sandbox at their terminal; everything else is read by programs. */
export const isReadByPeople = (
  { logFormat, mode }: Pick<Config, 'logFormat' | 'mode'>,
  isTerminal: boolean,
): boolean => (logFormat === 'auto' ? isTerminal && mode === 'sandbox' : logFormat === 'pretty')

/** This process's standard output. The other format's code is not loaded. */
export const standardOutput = async (config: Config): Promise<DestinationStream> =>
  isReadByPeople(config, process.stdout.isTTY === true)
    ? readable({ destination: 1, colorize: process.stdout.isTTY === true })
    : pino.destination({ dest: 1, sync: false })

/** Lines of JSON go in, and each goes out at once as a line for people. */
export async function readable(to: {
  destination: number | NodeJS.WritableStream
  colorize: boolean
}): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ ...to, sync: true, singleLine: true, ignore: 'pid', translateTime: 'SYS:HH:MM:ss.l' })
}
