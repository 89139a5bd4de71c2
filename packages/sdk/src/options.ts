/** A client's settings, checked once, when it is made. */
import type { KeyObject } from 'node:crypto'
import { privateKeyFrom, publicKeyFrom } from '@acopay/protocol'
import { ParameterError } from './errors.ts'

export type AcoPayOptions = {
  /** Where the gateway is, `https://pay.example.com`; a path in it is kept. */
  baseUrl: string
  mchNo: string
  /** The app that orders are placed for, unless an order names another. */
  appNo: string
  /** Base64 DER (PKCS#8) or PEM. RSA of at least 2048 bits. */
  mchPrivateKey: string
  /** Base64 DER (SPKI) or PEM; several while the platform changes its key. */
  platformPublicKey: string | readonly string[]
  /** How long one try may take, in ms; default 10 000. A close takes at most about 7 000. */
  timeoutMs?: number
  /** How often a request is tried in all, 1 … 10; default 3. */
  tries?: number
  /** Stands in for the global `fetch`. */
  fetch?: typeof fetch
  /** Stands in for waiting between tries, in ms. */
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
}

/** Throws ParameterError that names the option, and never repeats a key. */
export function readOptions(options: AcoPayOptions): Settings {
  const platformKeys = [options.platformPublicKey].flat()
  if (platformKeys.length === 0) throw new ParameterError('platformPublicKey', 'platformPublicKey is missing')
  return {
    baseUrl: readBaseUrl(options.baseUrl),
    mchNo: required('mchNo', options.mchNo),
    appNo: required('appNo', options.appNo),
    privateKey: readKey('mchPrivateKey', options.mchPrivateKey, privateKeyFrom),
    platformKeys: platformKeys.map((text) => readKey('platformPublicKey', text, publicKeyFrom)),
    timeoutMs: wholeNumber('timeoutMs', options.timeoutMs ?? 10_000, 1, 600_000),
    tries: wholeNumber('tries', options.tries ?? 3, 1, 10),
    fetch: options.fetch ?? fetch,
    sleep: options.sleep ?? pause,
  }
}

const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal?.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })

function required(field: string, text: string): string {
  if (typeof text !== 'string' || text === '') throw new ParameterError(field, `${field} is missing`)
  return text
}

function wholeNumber(field: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new ParameterError(field, `${field} should be a whole number from ${min} to ${max}`)
}

function readBaseUrl(text: string): URL {
  const url = URL.canParse(required('baseUrl', text)) ? new URL(text.endsWith('/') ? text : `${text}/`) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new ParameterError('baseUrl', 'baseUrl should be an http(s) address without ? and #')
  }
  return url
}

function readKey(field: string, text: string, read: (text: string) => KeyObject): KeyObject {
  try {
    return read(required(field, text))
  } catch (error) {
    if (error instanceof ParameterError) throw error
    throw new ParameterError(field, `${field}: ${error instanceof Error ? error.message : 'not a key'}`)
  }
}
