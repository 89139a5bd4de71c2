/** How a channel signs its requests: RSASSA-PKCS1-v1_5 with SHA-256, as both upstreams want it. */
import { type KeyObject, sign } from 'node:crypto'
import { promisify } from 'node:util'

/** The signature of these bytes. */
export type SignBytes = (bytes: Buffer, key: KeyObject) => Promise<Buffer>

const onThreadPool = promisify(sign)

/** On libuv's thread pool: a signature takes a third of a millisecond, in which the event loop serves others. */
export const signBytes: SignBytes = (bytes, key) => onThreadPool('RSA-SHA256', bytes, key)
