/** Sends signed requests to WeChat Pay, to whichever of its domains can be reached. */
import type { SignBytes } from '../signing.ts'
import type { WechatAccount } from './account.ts'
import { addressesOf } from './hosts.ts'
import { authorization } from './signature.ts'

export type WechatDoor = { fetch: typeof fetch; now: () => Date; newNonce: () => string; sign?: SignBytes }

const USER_AGENT = 'acopay-gateway'

/** `body` is empty for a GET. */
type Ask = { method: string; path: string; body: string }

export type Sender = {
  send: (ask: Ask, signal: AbortSignal) => Promise<Response>
  /** Fetches what lies at an address that WeChat Pay gave. Throws when it is at none of its domains. */
  sendToTheirs: (url: URL, signal: AbortSignal) => Promise<Response>
}

/** `signed`: signs lines with the merchant's key. `serial`: the key that WeChat Pay is asked to sign with, by its serial or id; undefined while none is known. */
export function senderOf(
  account: WechatAccount,
  door: WechatDoor,
  signed: (lines: string[]) => Promise<string>,
  serial: () => string | undefined,
): Sender {
  const addresses = addressesOf(account.baseUrl)
  /** The address that answered last, or that is to be tried since the one before did not answer. */
  let current = 0

  async function sendTo(address: string, { method, path, body }: Ask, signal: AbortSignal): Promise<Response> {
    const url = new URL(address + path)
    const timestamp = String(Math.floor(door.now().getTime() / 1000))
    const parts = { method, path: url.pathname + url.search, timestamp, nonce: door.newNonce(), body }
    const known = serial()
    return door.fetch(url, {
      method,
      headers: {
        authorization: await authorization(account, parts, signed),
        accept: 'application/json',
        'user-agent': USER_AGENT,
        // While a merchant goes over from certificates to the public key, WeChat Pay signs with what is named here.
        ...(known === undefined ? {} : { 'wechatpay-serial': known }),
        ...(body === '' ? {} : { 'content-type': 'application/json' }),
      },
      redirect: 'error',
      signal,
      ...(body === '' ? {} : { body }),
    })
  }

  return {
    /** Tries the other domain when one cannot be reached. Every call may be repeated: its number makes that harmless. */
    async send(ask, signal) {
      for (let tries = 1; ; tries += 1) {
        const at = current
        try {
          return await sendTo(addresses[at] as string, ask, signal)
        } catch (error) {
          if (current === at) current = (at + 1) % addresses.length
          if (tries >= addresses.length || signal.aborted) throw error
        }
      }
    },
    async sendToTheirs(url, signal) {
      // The request carries the merchant's signature, so it goes only to WeChat Pay: to either of its domains.
      const isTheirs = addresses.some((known) => new URL(known).origin === url.origin)
      if (!isTheirs) throw new Error('the file is not at the configured origin')
      return sendTo(url.origin, { method: 'GET', path: url.pathname + url.search, body: '' }, signal)
    },
  }
}
