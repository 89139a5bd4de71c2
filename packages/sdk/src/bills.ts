/** Bills (spec 3.6): downloaded as a stream, and accepted when the file has the hash that the platform signed. */
import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { BILL_ANSWERS, BILL_HASH_TYPE, parseQueryBill } from '@acopay/protocol'
import { type CallOptions, send } from './client.ts'
import { ConnectionError, SignatureError } from './errors.ts'
import { oneOf, refuseLocally, textOf } from './fields.ts'
import type { Settings } from './options.ts'
import { anyOf } from './signals.ts'

export type NoBill = {
  /**
   * `NO_BILL`: nothing happened that day. `BILL_NOT_EXIST`: not ready; ask again after 09:00 (UTC+8) of the next day.
   */
  state: 'NO_BILL' | 'BILL_NOT_EXIST'
  /** In Chinese. */
  description: string
}

export type Bill = {
  state: 'SUCCESS'
  description: string
  /** SHA-256 of the file, lower-case hex. */
  hashCode: string
  /**
   * The file, UTF-8 CSV (docs/bills.md), in pieces as they arrive; it can be read once. Do nothing final before the
   * end: SignatureError is thrown after the last piece when this is not the file that the platform signed. Throws
   * ConnectionError when the download breaks off.
   */
  content: AsyncIterable<Uint8Array>
}

/** `onBytes` is called with the number of bytes received so far. */
export type SaveOptions = CallOptions & { onBytes?: (bytes: number) => void }

/** The whole file was written and has the signed hash. */
export type SavedBill = { state: 'SUCCESS'; description: string; hashCode: string; bytes: number }

export async function downloadBill(settings: Settings, day: string, options: CallOptions): Promise<Bill | NoBill> {
  const params = { bill_date: day }
  refuseLocally(parseQueryBill(params))
  const data = await send(settings, { method: 'GET', path: 'bill', params }, options)
  const state = oneOf(data, 'code', BILL_ANSWERS)
  const description = textOf(data, 'description')
  if (state !== 'SUCCESS') return { state, description }
  if (data.hash_type !== BILL_HASH_TYPE) throw new SignatureError(`the bill's hash_type is not ${BILL_HASH_TYPE}`)
  const hashCode = textOf(data, 'hash_code')
  return { state, description, hashCode, content: fileAt(settings, textOf(data, 'url'), hashCode, options) }
}

export async function saveBill(
  settings: Settings,
  day: string,
  file: string,
  options: SaveOptions,
): Promise<SavedBill | NoBill> {
  const bill = await downloadBill(settings, day, options)
  if (bill.state !== 'SUCCESS') return bill
  const { state, description, hashCode, content } = bill
  let bytes = 0
  async function* counted() {
    for await (const piece of content) {
      bytes += piece.length
      options.onBytes?.(bytes)
      yield piece
    }
  }
  // In the same folder, so that the rename is atomic: no other program ever reads half a bill.
  const part = `${file}.${randomBytes(4).toString('hex')}.part`
  try {
    await pipeline(Readable.from(counted()), createWriteStream(part, { flags: 'wx' }))
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  return { state, description, hashCode, bytes }
}

/** Gives up when no piece arrives for `timeoutMs`. There is no limit for the whole download. */
async function* fileAt(settings: Settings, url: string, hashCode: string, { signal }: CallOptions) {
  const idle = new AbortController()
  const giveUp = (): void => idle.abort()
  let timer = setTimeout(giveUp, settings.timeoutMs)
  const hash = createHash('sha256')
  try {
    const ends = signal === undefined ? idle.signal : anyOf([idle.signal, signal])
    const { fetch } = settings
    const response = await fetch(url, { redirect: 'manual', signal: ends })
    if (response.status !== 200 || response.body === null) {
      const { status: httpStatus } = response
      throw new ConnectionError(`the bill's link answered HTTP ${httpStatus}`, { httpStatus })
    }
    for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) {
      clearTimeout(timer)
      hash.update(piece)
      // The timer is off while the caller works: that time is not the gateway's.
      yield piece
      timer = setTimeout(giveUp, settings.timeoutMs)
    }
  } catch (cause) {
    if (cause instanceof ConnectionError) throw cause
    throw new ConnectionError(`the download of the bill ${endOf(signal, idle.signal)}`, {
      cause,
      isRetryable: !signal?.aborted,
    })
  } finally {
    clearTimeout(timer)
  }
  if (hash.digest('hex') !== hashCode) {
    throw new SignatureError('the file is not the bill that the platform signed: its SHA-256 differs')
  }
}

function endOf(signal: AbortSignal | undefined, idle: AbortSignal): string {
  if (signal?.aborted) return 'was aborted'
  return idle.aborted ? 'stood still' : 'broke off'
}
