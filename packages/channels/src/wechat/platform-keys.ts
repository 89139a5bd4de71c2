/** The keys WeChat Pay signs with: those of the account's settings, and platform certificates fetched when needed. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { parseJson } from '../contract.ts'
import { publicKeyOf } from '../keys.ts'
import type { WechatAccount } from './account.ts'
import { openSealed, type Sealed } from './sealed.ts'

export type PlatformKeys = {
  get: (serial: string) => KeyObject | undefined
  /** The serial of the key that WeChat Pay is asked to sign with: a public key's id if there is one. Undefined: none is known. */
  preferred: () => string | undefined
  /** Fetches WeChat Pay's certificates, unless that was done within the last minute. Never throws. */
  fetchMore: () => Promise<void>
}

const PAUSE_MS = 60_000
const PAUSE_AFTER_FAILURE_MS = 2_000
/** One fetch serves all callers that wait for it, so it has a time limit of its own and ignores their signals. */
const CALL_MS = 5_000

export function platformKeysOf(
  account: WechatAccount,
  now: () => Date,
  fetchCertificates: (signal: AbortSignal) => Promise<Response>,
): PlatformKeys {
  const keys = new Map<string, KeyObject>(account.platformKeys.map(({ id, publicKey }) => [id, publicKeyOf(publicKey)]))
  let nextFetchMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null

  /** The APIv3 key decrypts the certificates, which proves them; one of them makes the signature of this answer. */
  async function fetchNow(): Promise<void> {
    const response = await fetchCertificates(AbortSignal.timeout(CALL_MS))
    const { data } = parseJson(await response.text()) as { data: { serial_no: string; encrypt_certificate: Sealed }[] }
    for (const { serial_no: serial, encrypt_certificate: sealed } of data) {
      keys.set(serial, new X509Certificate(openSealed(account.apiV3Key, sealed)).publicKey)
    }
  }

  return {
    get: (serial) => keys.get(serial),
    preferred: () => [...keys.keys()].find((serial) => serial.startsWith('PUB_KEY_ID_')) ?? [...keys.keys()].at(-1),
    async fetchMore() {
      if (running === null) {
        const nowMs = now().getTime()
        if (nowMs < nextFetchMs) return
        nextFetchMs = nowMs + PAUSE_MS
        running = fetchNow()
          .catch(() => {
            nextFetchMs = now().getTime() + PAUSE_AFTER_FAILURE_MS
          })
          .finally(() => {
            running = null
          })
      }
      await running
    },
  }
}
