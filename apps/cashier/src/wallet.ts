/**
 * Paying inside WeChat's own browser. A redirect to WeChat and back identifies the payer without a question, and WeChat's
 * payment sheet takes the payment.
 */
import { type CameBack, cameBackOf, sheetEndOf } from './wallet-answers.ts'

const STATE = 'acopay-sign-in'

/** Leaves the page; `cameBack` reads the result afterwards. False where this browser cannot store anything meanwhile. */
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

/** Reads the result once and removes it from the address. Null where the payer does not come from a sign-in. */
export function cameBack(): CameBack | null {
  const { hash } = location
  if (cameBackOf(hash, null) === null) return null
  history.replaceState(null, '', location.pathname)
  let begun: string | null = null
  try {
    begun = sessionStorage.getItem(STATE)
    sessionStorage.removeItem(STATE)
  } catch {
    // Without storage, this tab cannot have begun the sign-in.
  }
  return cameBackOf(hash, begun)
}

type Bridge = { invoke: (verb: string, what: object, answer: (said: { err_msg?: string }) => void) => void }
type WithBridge = typeof globalThis & { WeixinJSBridge?: Bridge }

/** Shows WeChat's payment sheet ("JSAPI调起支付"). */
export async function showSheet(payUrl: string): Promise<'done' | 'left' | 'failed'> {
  const bridge = (globalThis as WithBridge).WeixinJSBridge ?? (await bridgeReady())
  if (bridge === null) return 'failed'
  return new Promise((resolve) => {
    bridge.invoke('getBrandWCPayRequest', JSON.parse(payUrl), ({ err_msg: said = '' }) => {
      resolve(sheetEndOf(said))
    })
  })
}

/** WeChat adds its bridge to the page some time after loading. */
const BRIDGE_MS = 5000

const bridgeReady = (): Promise<Bridge | null> =>
  new Promise((resolve) => {
    const tell = (): void => resolve((globalThis as WithBridge).WeixinJSBridge ?? null)
    document.addEventListener('WeixinJSBridgeReady', tell, { once: true })
    setTimeout(tell, BRIDGE_MS)
  })
