/** Where passkeys work. A passkey belongs to one host, and browsers offer it to pages of that host only. */
import ipaddr from 'ipaddr.js'

/** `rpId`: the host ("relying party"). `origin`: the pages that may ask for a signature. */
export type PasskeySite = { rpId: string; origin: string }

/**
 * The site of the public URL. Without one, a sandbox takes the address that was called if it is this machine's: the `Host` of a request
 * is the caller's word, so it is believed for nothing else. Null where browsers allow no passkeys.
 */
export const passkeySiteOf =
  ({ publicUrl, isSandbox }: { publicUrl: string | null; isSandbox: boolean }) =>
  (host: string): PasskeySite | null => {
    if (publicUrl !== null) return siteOf(publicUrl)
    const site = isSandbox ? siteOf(`http://${host}`) : null
    return site !== null && isLocal(site.rpId) ? site : null
  }

function siteOf(url: string): PasskeySite | null {
  if (!URL.canParse(url)) return null
  const { protocol, hostname, origin } = new URL(url)
  // Browsers want https, except on this machine, and a name instead of an address.
  const isSecure = protocol === 'https:' || isLocal(hostname)
  return isSecure && !ipaddr.isValid(hostname.replace(/^\[|\]$/g, '')) ? { rpId: hostname, origin } : null
}

const isLocal = (hostname: string): boolean => hostname === 'localhost' || hostname.endsWith('.localhost')
