/**
 * Paying inside a wallet's own browser. A redirect to the wallet and back identifies the payer without a question, and its
 * payment sheet takes the payment.
 */
import { alipaySheetEndOf, type CameBack, cameBackOf, type SheetEnd, sheetEndOf } from './wallet-answers.ts'

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

type WechatBridge = { invoke: (verb: string, what: object, answer: (said: { err_msg?: string }) => void) => void }
type AlipayBridge = { call: (verb: string, what: object, answer: (said: { resultCode?: string }) => void) => void }

/** Shows the payment sheet of the wallet whose browser this is. */
export const showSheet = (channel: string, payUrl: string): Promise<SheetEnd> =>
  channel === 'alipay' ? showAlipays(payUrl) : showWechats(payUrl)

/** "JSAPI调起支付". */
async function showWechats(payUrl: string): Promise<SheetEnd> {
  const bridge = await bridgeOf<WechatBridge>('WeixinJSBridge')
  if (bridge === null) return 'failed'
  return new Promise((resolve) => {
    bridge.invoke('getBrandWCPayRequest', JSON.parse(payUrl), ({ err_msg: said = '' }) => {
      resolve(sheetEndOf(said))
    })
  })
}

/** "唤起收银台支付". */
async function showAlipays(payUrl: string): Promise<SheetEnd> {
  const bridge = await bridgeOf<AlipayBridge>('AlipayJSBridge')
  if (bridge === null) return 'failed'
  return new Promise((resolve) => {
    bridge.call('tradePay', JSON.parse(payUrl), ({ resultCode: said = '' }) => resolve(alipaySheetEndOf(said)))
  })
}

/** A wallet adds its bridge to the page some time after loading. */
const BRIDGE_MS = 5000

/** Null when it does not come. */
function bridgeOf<Bridge>(name: string): Promise<Bridge | null> {
  const found = (): Bridge | null => (globalThis as unknown as Record<string, Bridge | undefined>)[name] ?? null
  const there = found()
  if (there !== null) return Promise.resolve(there)
  return new Promise((resolve) => {
    document.addEventListener(`${name}Ready`, () => resolve(found()), { once: true })
    setTimeout(() => resolve(found()), BRIDGE_MS)
  })
}
