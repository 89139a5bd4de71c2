/** WeChat Pay's two domains: the same service, for when the first cannot be reached ("跨城冗灾方案"). */

const MAIN = 'api.mch.weixin.qq.com'
const SPARE = 'api2.mch.weixin.qq.com'

/** The addresses at which an account's service may be called, the configured one first. */
export function addressesOf(baseUrl: string): string[] {
  const configured = baseUrl.replace(/\/$/, '')
  // The sandbox's accounts have a path until its stand-ins listen.
  const host = URL.canParse(configured) ? new URL(configured).host : ''
  if (host !== MAIN && host !== SPARE) return [configured]
  return [configured, configured.replace(host, host === MAIN ? SPARE : MAIN)]
}

/** One text for all addresses of one service: a change from one domain to the other is no other account. */
export const serviceOf = (baseUrl: string): string => addressesOf(baseUrl).sort()[0] ?? baseUrl
