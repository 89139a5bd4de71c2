/**
 * Browsers in which a user of the console has signed in (device cookies, OWASP "Slow Down Online Guessing Attacks with Device Cookies").
 * A sign-in from one has a count of failures and a place in the queue of its own, so that strangers neither lock the user out nor
 * keep the user waiting. The cookie proves nothing else.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'

export type KnownDevices = {
  /** The cookie's value for a browser in which `username` has just signed in. */
  tokenFor: (username: string) => string
  /** The device's number; null unless the token was given to `username`. */
  deviceOf: (username: string, token: string | undefined) => string | null
}

export function knownDevices(key: Buffer, newNonce: () => string): KnownDevices {
  const proof = (username: string, device: string): string =>
    createHmac('sha256', key).update(`${device}/${username}`, 'utf8').digest('base64url')
  return {
    tokenFor(username) {
      const device = newNonce()
      return `${device}.${proof(username, device)}`
    },
    deviceOf(username, token = '') {
      const [device = '', given = ''] = token.split('.')
      const [right, found] = [Buffer.from(proof(username, device)), Buffer.from(given)]
      return right.length === found.length && timingSafeEqual(right, found) ? device : null
    },
  }
}
