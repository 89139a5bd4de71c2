/** A client's settings, checked once, when the client is made. */
import type { KeyObject } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { privateKeyFrom } from '@acopay/protocol'
import { ParameterError } from './errors.ts'
import type { Hooks } from './hooks.ts'
import { publicKeyOnly } from './keys.ts'

export type AcoPayOptions = Hooks & {
  /** The gateway's address, `https://pay.example.com`; it may have a path. */
  baseUrl: string
  /** At most 32 characters. */
  mchNo: string
  /** The app of orders that name none themselves; at most 32 characters. */
  appNo: string
  /** Base64 DER (PKCS#8) or PEM. RSA of at least 2048 bits. */
  mchPrivateKey: string
  /** Base64 DER (SPKI) or PEM; a list while the platform changes its key. */
  platformPublicKey: string | readonly string[]
  /** The limit of one try, in ms, 1 to 600 000; default 10 000. A close takes at most about 7 000. */
  timeoutMs?: number
  /** The number of tries in all, 1 to 10; default 3. A call ends within `tries` × (`timeoutMs` + 5 s). */
  tries?: number
  /** Replaces the global `fetch`. */
  fetch?: typeof fetch
  /** Replaces the wait between two tries; `ms` is its length. */
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>
}

export type Settings = {
  baseUrl: URL
  mchNo: string
  appNo: string
  privateKey: KeyObject
  platformKeys: KeyObject[]
  timeoutMs: number
  tries: number
  fetch: typeof fetch
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>
  hooks: Hooks
}

/** Throws a ParameterError that names the wrong option. Its message contains no part of a key. */
export function readOptions(options: AcoPayOptions): Settings {
  return {
    baseUrl: readBaseUrl(options.baseUrl),
    mchNo: readNumber('mchNo', options.mchNo),
    appNo: readNumber('appNo', options.appNo),
    privateKey: readKey('mchPrivateKey', options.mchPrivateKey, privateKeyFrom),
    platformKeys: readPlatformKeys(options.platformPublicKey),
    timeoutMs: wholeNumber('timeoutMs', options.timeoutMs ?? 10_000, 1, 600_000),
    tries: wholeNumber('tries', options.tries ?? 3, 1, 10),
    fetch: options.fetch ?? fetch,
    sleep: options.sleep ?? pause,
    hooks: options,
  }
}

export function readPlatformKeys(texts: string | readonly string[]): KeyObject[] {
  const keys = [texts].flat()
  if (keys.length === 0) throw new ParameterError('platformPublicKey', 'platformPublicKey is missing')
  return keys.map((text) => readKey('platformPublicKey', text, publicKeyOnly))
}

/** Ends early, without an error, when the signal aborts. */
const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  wait(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)

function required(field: string, text: string): string {
  if (typeof text !== 'string' || text === '') throw new ParameterError(field, `${field} is missing`)
  return text
}

/** Printable ASCII only, since the number is sent in a header. */
export function readNumber(field: string, text: string): string {
  if (/^[\x21-\x7e]{1,32}$/.test(required(field, text))) return text
  throw new ParameterError(field, `${field} should be 1 to 32 letters and digits`)
}

function wholeNumber(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new ParameterError(field, `${field} should be a whole number from ${min} to ${max}`)
}

function readBaseUrl(text: string): URL {
  const url = URL.canParse(required('baseUrl', text)) ? new URL(text.endsWith('/') ? text : `${text}/`) : null
  const isPlain = url !== null && [url.search, url.hash, url.username, url.password].every((part) => part === '')
  if (!isPlain || !/^https?:/.test(url.protocol)) {
    throw new ParameterError('baseUrl', 'baseUrl should be an http(s) address without ?, #, user and password')
  }
  return url
}

export function readKey(field: string, text: string, read: (text: string) => KeyObject): KeyObject {
  try {
    return read(required(field, text))
  } catch (error) {
    if (error instanceof ParameterError || !(error instanceof Error)) throw error
    throw new ParameterError(field, `${field}: ${error.message}`)
  }
}
