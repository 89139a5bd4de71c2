/** The input and output of every command, its errors and exit codes. */
import { styleText } from 'node:util'
import type { AcoPayError } from '@acopay/sdk'
import type { Server } from './server.ts'

export type Io = {
  env: Record<string, string | undefined>
  cwd: string
  /** Standard input, whole. */
  readInput: () => string
  out: (text: string) => void
  err: (text: string) => void
  /** Fulfilled when the user ends the program, for example with Ctrl-C; for commands that run until then. */
  untilStopped: () => Promise<void>
  /** Whether standard output is a terminal that shows colours, and its user wants them. */
  isColoured: boolean
  /** The gateway's own program; null where it is not installed. */
  server: () => Server | null
  /** Milliseconds since 1970, by this machine. */
  nowMs: () => number
  /** Resolves after `ms`, or at once when the signal aborts. */
  pause: (ms: number, signal?: AbortSignal) => Promise<void>
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'

/** The text in a style, where standard output shows colours. */
export const painted = (io: Io, style: Style | Style[], text: string): string =>
  io.isColoured ? styleText(style, text, { validateStream: false }) : text

/** How the user called this program, for commands that it suggests. */
export const ownName = (io: Io): string => (io.env.npm_lifecycle_event === 'acopay' ? 'npm run acopay --' : 'acopay')

/** Exit codes, documented in docs/cli.md. */
export const EXIT = { done: 0, refused: 1, usage: 2, apiError: 3, signature: 4, connection: 5, bug: 70 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** The parsed flags: a text, a switch, or absent. */
export type Flags = Record<string, string | boolean | undefined>

/** The result of a command: one JSON value for programs, lines for people. */
export type Output = { exit: ExitCode; json: object; lines: string[] }

/** `says`: what it is for, in both languages, where its name and the usage do not tell. */
export type OptionShape = { type: 'string' | 'boolean'; says?: string; choices?: readonly string[] }

export type Command = {
  /** The flags, as the help shows them after the command's name. */
  usage: string
  zh: string
  en: string
  options: Record<string, OptionShape>
  /** The name under which `run` finds the one word that may follow the command. */
  positional?: string
  /** Null when the command has printed its result itself. */
  run: (flags: Flags, io: Io) => Promise<Output | null>
}

/** A wrong flag or file. The message says what to do. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/**
 * The order may have been placed although the call failed. The error has its number, which this program may have made.
 */
export class UnfinishedError extends Error {
  readonly mchTradeNo: string

  constructor(mchTradeNo: string, cause: AcoPayError) {
    super(cause.message, { cause })
    this.mchTradeNo = mchTradeNo
  }
}

/** Turns the error of an unusable key or text into a UsageError. Its message contains no part of a key. */
export async function readable<Result>(use: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await use()
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new UsageError(`密钥或内容不能用 (this key or text cannot be used): ${error.message}`)
    }
    throw error
  }
}

export const textFlag = (flags: Flags, name: string): string | undefined => {
  const value = flags[name]
  return typeof value === 'string' ? value : undefined
}

export function requiredFlag(flags: Flags, name: string): string {
  const value = textFlag(flags, name)
  if (value === undefined || value === '') throw new UsageError(`缺少 --${name} (--${name} is missing)`)
  return value
}

/** Two aligned columns. A Chinese character is as wide as two others. Rows whose value is null are left out. */
export function table(rows: [label: string, value: string | null][]): string[] {
  const width = (text: string): number => [...text].reduce((sum, letter) => sum + (letter > '\u2e7f' ? 2 : 1), 0)
  const widest = Math.max(...rows.map(([label]) => width(label)))
  return rows.flatMap(([label, value]) =>
    value === null ? [] : [`${label}${' '.repeat(widest - width(label))}  ${value}`],
  )
}
