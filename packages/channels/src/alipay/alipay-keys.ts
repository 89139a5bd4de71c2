/**
 * The keys that Alipay signs with. In key mode there is one. In certificate mode a message names the certificate that
 * verifies it; one that is not known yet ("支付宝公钥证书无感知升级") is fetched from Alipay.
 */
import type { KeyObject } from 'node:crypto'
import { BadSetting } from '../bad-setting.ts'
import { publicKeyOf } from '../keys.ts'
import type { AlipayAccount } from './account.ts'
import { type Believed, believedOf, type Certificates, certificatesIn } from './certificates.ts'

/** Where a certificate's name was read: in an answer, which came from Alipay, or in a webhook, which may come from anybody. */
export type NamedIn = 'answer' | 'webhook'

export type AlipayKeys = {
  /**
   * The keys that may have signed a message which names this certificate; null: it names none. Never throws.
   */
  keysFor: (serial: string | null, namedIn: NamedIn) => Promise<KeyObject[]>
}

/** Asks Alipay for a certificate (`alipay.open.app.alipaycert.download`): its file in Base64. The answer is not signed. */
export type DownloadCertificate = (serial: string, signal: AbortSignal) => Promise<string>

/** Throws `BadSetting` when the account's key cannot be read. */
export function oneKey({ alipayPublicKey = '' }: AlipayAccount): AlipayKeys {
  const key = readKey(alipayPublicKey)
  return { keysFor: async () => [key] }
}

function readKey(text: string): KeyObject {
  try {
    return publicKeyOf(text)
  } catch {
    throw new BadSetting(
      'alipayPublicKey',
      '应为Base64 DER或PEM公钥，或改填证书模式的三个证书',
      'should be a public key in Base64 DER or PEM, or else the three certificates of certificate mode',
    )
  }
}

const PAUSE_MS = 60_000
const PAUSE_AFTER_FAILURE_MS = 2_000
/** One download serves all callers that wait for it, so it has a time limit of its own and ignores their signals. */
const CALL_MS = 5_000
/** What Alipay names its certificates: an MD5. */
const SERIAL = /^[0-9a-f]{32}$/

export function keysOfCertificates(
  { alipay, roots }: Certificates,
  now: () => Date,
  download: DownloadCertificate,
): AlipayKeys {
  const known = new Map<string, Believed>([[alipay.serial, alipay]])
  const downloads = { answer: onceInAWhile(now), webhook: onceInAWhile(now) }

  /** Believed: the one that was asked for, issued below the account's root, and in the name of the one that it replaces. */
  async function learn(serial: string): Promise<void> {
    const file = Buffer.from(await download(serial, AbortSignal.timeout(CALL_MS)), 'base64').toString('latin1')
    const found = believedOf(certificatesIn(file), roots)
    if (found !== null && found.serial === serial && found.name === alipay.name) known.set(serial, found)
  }

  const isValid = ({ from, until }: Believed): boolean => from <= now() && now() < until
  return {
    async keysFor(serial, namedIn) {
      if (serial === null) return [...known.values()].filter(isValid).map(({ key }) => key)
      if (!known.has(serial) && SERIAL.test(serial)) await downloads[namedIn](() => learn(serial))
      const found = known.get(serial)
      return found !== undefined && isValid(found) ? [found.key] : []
    },
  }
}

/** Runs one task at a time, and none for a minute after one that ended well; callers that come meanwhile share it. */
function onceInAWhile(now: () => Date): (task: () => Promise<void>) => Promise<void> {
  let nextMs = Number.NEGATIVE_INFINITY
  let running: Promise<void> | null = null
  return async (task) => {
    if (running === null) {
      const nowMs = now().getTime()
      if (nowMs < nextMs) return
      nextMs = nowMs + PAUSE_MS
      running = task()
        .catch(() => {
          nextMs = now().getTime() + PAUSE_AFTER_FAILURE_MS
        })
        .finally(() => {
          running = null
        })
    }
    await running
  }
}
