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

export type Name = keyof typeof SETTINGS

export const SETTINGS_OPTIONS = {
  config: { type: 'string', says: '商户设置文件 the file of settings' },
  'base-url': { type: 'string', says: '网关地址 address of the gateway' },
  'mch-no': { type: 'string', says: '商户号 number of the merchant' },
  'app-no': { type: 'string', says: '应用号 number of the app' },
  'mch-private-key-file': { type: 'string', says: '商户私钥文件 file with the private key of the merchant' },
  'platform-public-key': { type: 'string', says: '平台公钥 public key of the platform' },
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
  const all = findSettings(flags, io)
  const found = wanted.map((name): [Wanted, string] => {
    const setting = all[name]
    if (setting !== null) return [name, setting.value]
    const ways = waysToGive(name)
    throw new UsageError(
      `缺少 ${name}：用 ${ways} 给出，或先运行 npm start (${name} is missing: give it by ${ways}, or run npm start first)`,
    )
  })
  return Object.fromEntries(found) as Pick<Settings, Wanted>
}

export const waysToGive = (name: Name): string =>
  [`--${SETTINGS[name].flag ?? 'mch-private-key-file'}`, SETTINGS[name].variable, '--config FILE'].join(' / ')

/** A setting, and the flag, variable or file that it was taken from. `file`: the file that holds it. */
export type Found = { value: string; from: string; file: string | null }

/** Every setting; null where there is none. */
export function findSettings(flags: Flags, io: Io): Record<Name, Found | null> {
  const file = settingsFile(flags, io)
  const inFile = file === null ? {} : readJsonFile(file)
  const names = Object.keys(SETTINGS) as Name[]
  return Object.fromEntries(
    names.map((name) => {
      const { flag, variable } = SETTINGS[name]
      const value = inFile[name]
      const ofFile = typeof value === 'string' && file !== null ? { value, from: file, file } : null
      const ofVariable = { value: io.env[variable] ?? '', from: variable, file: null }
      const given = flag === null ? keyInFile(flags, io) : flagValue(flags, flag)
      const found = [given, ofVariable, ofFile].find((one) => one !== null && one.value !== '')
      return [name, found ?? null]
    }),
  ) as Record<Name, Found | null>
}

function flagValue(flags: Flags, flag: string): Found | null {
  const value = textFlag(flags, flag)
  return value === undefined ? null : { value, from: `--${flag}`, file: null }
}

/** The private key from a file of its own, named by the flag or, when no variable contains the key, by a variable. */
function keyInFile(flags: Flags, io: Io): Found | null {
  const { ACOPAY_MCH_PRIVATE_KEY: key, ACOPAY_MCH_PRIVATE_KEY_FILE: fileVariable } = io.env
  const named = textFlag(flags, 'mch-private-key-file')
  const file = named ?? (key ? undefined : fileVariable)
  if (!file) return null
  const from = named === undefined ? 'ACOPAY_MCH_PRIVATE_KEY_FILE' : '--mch-private-key-file'
  return { value: readText(io, file).trim(), from: `${from} ${file}`, file: path.resolve(io.cwd, file) }
}

/**
 * The named settings file, else the demo merchant's, which a sandbox writes at its start: below ACOPAY_HOME, in `.acopay` of this folder
 * or one above it, or in that of the user's home.
 */
function settingsFile(flags: Flags, io: Io): string | null {
  const named = textFlag(flags, 'config') ?? io.env.ACOPAY_CONFIG
  if (named) return path.resolve(io.cwd, named)
  const { ACOPAY_HOME: gatewayHome } = io.env
  const below = gatewayHome ? path.resolve(io.cwd, gatewayHome, 'demo.json') : null
  if (below !== null && existsSync(below)) return below
  for (let folder = path.resolve(io.cwd); ; folder = path.dirname(folder)) {
    const demo = path.join(folder, '.acopay', 'demo.json')
    if (existsSync(demo)) return demo
    if (folder === path.dirname(folder)) break
  }
  const home = io.env.HOME ?? io.env.USERPROFILE
  const inHome = home ? path.join(home, '.acopay', 'demo.json') : null
  return inHome !== null && existsSync(inHome) ? inHome : null
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
