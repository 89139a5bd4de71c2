/** The merchant's settings. Each is taken from its flag, else its environment variable, else the file. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { AcoPayOptions } from '@acopay/sdk'
import { type Flags, type Io, textFlag, UsageError } from './command.ts'

/** The private key has no flag, only its file has one: other users of the machine can read a process's flags. */
const SETTINGS = {
  baseUrl: { flag: 'base-url', variable: 'ACOPAY_BASE_URL' },
  mchNo: { flag: 'mch-no', variable: 'ACOPAY_MCH_NO' },
  appNo: { flag: 'app-no', variable: 'ACOPAY_APP_NO' },
  mchPrivateKey: { flag: null, variable: 'ACOPAY_MCH_PRIVATE_KEY' },
  platformPublicKey: { flag: 'platform-public-key', variable: 'ACOPAY_PLATFORM_PUBLIC_KEY' },
} as const

type Name = keyof typeof SETTINGS

export const SETTINGS_OPTIONS = {
  config: { type: 'string' },
  'base-url': { type: 'string' },
  'mch-no': { type: 'string' },
  'app-no': { type: 'string' },
  'mch-private-key-file': { type: 'string' },
  'platform-public-key': { type: 'string' },
} as const

export type Settings = Pick<AcoPayOptions, 'baseUrl' | 'mchNo' | 'appNo' | 'mchPrivateKey'> & {
  platformPublicKey: string
}

/** All `wanted` settings. Throws a UsageError that names the first missing one. */
export function readSettings<Wanted extends Name>(
  flags: Flags,
  io: Io,
  wanted: readonly Wanted[],
): Pick<Settings, Wanted> {
  const file = settingsFile(flags, io)
  const inFile = file === null ? {} : readJsonFile(file)
  const found = wanted.map((name): [Wanted, string] => {
    const { flag, variable } = SETTINGS[name]
    const value = (flag === null ? keyInFile(flags, io) : textFlag(flags, flag)) ?? (io.env[variable] || inFile[name])
    if (typeof value === 'string' && value !== '') return [name, value]
    const ways = [`--${flag ?? 'mch-private-key-file'}`, variable, '--config FILE'].join(' / ')
    throw new UsageError(
      `缺少 ${name}：用 ${ways} 给出，或先运行 npm start (${name} is missing: give it by ${ways}, or run npm start first)`,
    )
  })
  return Object.fromEntries(found) as Pick<Settings, Wanted>
}

/** The private key from a file of its own, named by the flag or, when no variable contains the key, by a variable. */
function keyInFile(flags: Flags, io: Io): string | undefined {
  const { ACOPAY_MCH_PRIVATE_KEY: key, ACOPAY_MCH_PRIVATE_KEY_FILE: fileVariable } = io.env
  const file = textFlag(flags, 'mch-private-key-file') ?? (key ? undefined : fileVariable)
  return file ? readText(io, file).trim() : undefined
}

/** The named settings file, else the demo merchant's, which `npm start` writes, in this folder or one above it. */
function settingsFile(flags: Flags, io: Io): string | null {
  const named = textFlag(flags, 'config') ?? io.env.ACOPAY_CONFIG
  if (named) return path.resolve(io.cwd, named)
  for (let folder = path.resolve(io.cwd); ; folder = path.dirname(folder)) {
    const demo = path.join(folder, '.acopay', 'demo.json')
    if (existsSync(demo)) return demo
    if (folder === path.dirname(folder)) return null
  }
}

function readJsonFile(file: string): Record<string, unknown> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`读不到配置文件 (cannot read the settings file): ${file}`)
  }
  return parseObject(text, file)
}

/** Parses a JSON object. Throws a UsageError that names `where` when it is not one. */
export function parseObject(text: string, where: string): Record<string, unknown> {
  let value: unknown
  try {
    // Windows' editors and .NET put a byte order mark before it.
    value = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    throw new UsageError(`不是有效的JSON (not JSON): ${where}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw new UsageError(`应为JSON对象 (should be a JSON object): ${where}`)
}

/** The text of a file, or of standard input for `-`. */
export function readText(io: Io, file: string): string {
  try {
    return file === '-' ? io.readInput() : readFileSync(path.resolve(io.cwd, file), 'utf8')
  } catch {
    throw new UsageError(`读不到文件 (cannot read): ${file}`)
  }
}
