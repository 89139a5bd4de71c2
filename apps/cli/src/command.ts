/** What every command is given, and how it ends. */
import type { ParseArgsConfig } from 'node:util'
import type { AcoPayError } from '@acopay/sdk'

export type Io = {
  env: Record<string, string | undefined>
  cwd: string
  /** Standard input, whole. */
  readInput: () => string
  out: (text: string) => void
  err: (text: string) => void
  /** Fulfilled when somebody ends the program, by Ctrl-C say; asked only by a command that runs until then. */
  untilStopped: () => Promise<void>
}

/** Exit codes, documented in docs/cli.md. */
export const EXIT = { done: 0, refused: 1, usage: 2, apiError: 3, signature: 4, connection: 5, bug: 70 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

/** Flags as parsed: a text, a switch, or absent. */
export type Flags = Record<string, string | boolean | undefined>

/** What a command found: one JSON value for machines, lines for people. */
export type Output = { exit: ExitCode; json: object; lines: string[] }

export type Command = {
  /** After the command's name, in the help. */
  usage: string
  zh: string
  en: string
  options: NonNullable<ParseArgsConfig['options']>
  /** Answers null where it has printed all there was itself. */
  run: (flags: Flags, io: Io) => Promise<Output | null>
}

/** A wrong flag or file; its message says what to do. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** An order may have been placed under a number that only this program knows, so the failure has to tell it. */
export class UnfinishedError extends Error {
  readonly mchTradeNo: string

  constructor(mchTradeNo: string, cause: AcoPayError) {
    super(cause.message, { cause })
    this.mchTradeNo = mchTradeNo
  }
}

/** What a key or a text that cannot be used throws becomes a usage error; such errors name no part of a key. */
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

/** Two aligned columns; a Chinese character is two columns wide. */
export function table(rows: [label: string, value: string | null][]): string[] {
  const width = (text: string): number => [...text].reduce((sum, letter) => sum + (letter > '\u2e7f' ? 2 : 1), 0)
  const widest = Math.max(...rows.map(([label]) => width(label)))
  return rows.flatMap(([label, value]) =>
    value === null ? [] : [`${label}${' '.repeat(widest - width(label))}  ${value}`],
  )
}
