/** Paying inside WeChat's own browser: a silent trip to WeChat tells who the payer is, and its sheet takes the payment. */

/** What the trip brought back. `payer` null: WeChat did not say, or the trip was not begun in this tab. */
export type CameBack = { channel: string; payer: string | null }

const STATE = 'acopay-sign-in'

/** Leaves the page; it comes back with what `cameBack` reads. False where this browser keeps nothing between the two. */
export function signIn(link: string, channel: string): boolean {
  const state = [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
  try {
    sessionStorage.setItem(STATE, state)
  } catch {
    return false
  }
  location.assign(`${link}/payer/${encodeURIComponent(channel)}?state=${state}`)
  return true
}

/** Reads it once and takes it out of the address; null where the payer comes from somewhere else. */
export function cameBack(): CameBack | null {
  const said = new URLSearchParams(location.hash.slice(1))
  const channel = said.get('payer_of')
  if (channel === null) return null
  history.replaceState(null, '', location.pathname)
  let begun: string | null = null
  try {
    begun = sessionStorage.getItem(STATE)
    sessionStorage.removeItem(STATE)
  } catch {
    // Then it was not begun here.
  }
  return { channel, payer: begun !== null && begun === said.get('state') ? said.get('payer') : null }
}

type Bridge = { invoke: (verb: string, what: object, answer: (said: { err_msg?: string }) => void) => void }
type WithBridge = typeof globalThis & { WeixinJSBridge?: Bridge }

/**
 * Shows WeChat's payment sheet ("JSAPI调起支付"). `done` is no proof of a payment: only the server tells. `failed`: there
 * was no sheet, or WeChat refused.
 */
export async function showSheet(payUrl: string): Promise<'done' | 'left' | 'failed'> {
  const bridge = (globalThis as WithBridge).WeixinJSBridge ?? (await bridgeReady())
  if (bridge === null) return 'failed'
  return new Promise((resolve) => {
    bridge.invoke('getBrandWCPayRequest', JSON.parse(payUrl), ({ err_msg: said = '' }) => {
      resolve(said.endsWith(':ok') ? 'done' : said.endsWith(':cancel') ? 'left' : 'failed')
    })
  })
}

/** WeChat puts it into the page some time after it was loaded. */
const BRIDGE_MS = 5000

const bridgeReady = (): Promise<Bridge | null> =>
  new Promise((resolve) => {
    const tell = (): void => resolve((globalThis as WithBridge).WeixinJSBridge ?? null)
    document.addEventListener('WeixinJSBridgeReady', tell, { once: true })
    setTimeout(tell, BRIDGE_MS)
  })
