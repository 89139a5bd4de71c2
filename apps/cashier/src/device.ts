/** The payer's device, as far as it decides which way to pay is offered. */

const AGENT = navigator.userAgent

export const isInWechat = /MicroMessenger/i.test(AGENT)
const isInAlipay = /AlipayClient/i.test(AGENT)
const isPhone = /Android|iPhone|iPod|Mobile|HarmonyOS/i.test(AGENT)

/** Whether the host script shows this page in a frame on another site's page. */
export const isFramed = window.parent !== window

/** The method to start a channel with on this device; null where none works. A wallet's browser opens no other wallet. */
export function methodFor(channel: string, methods: string[]): string | null {
  if ((isInWechat && channel !== 'wechat') || (isInAlipay && channel !== 'alipay')) return null
  return bestMethods().find((method) => methods.includes(method)) ?? null
}

/** The methods that work on this device, the best first. */
function bestMethods(): string[] {
  if (isInWechat) return ['jsapi']
  return isPhone || isInAlipay ? ['h5', 'page', 'native'] : ['native', 'page', 'h5']
}

/** The method to try when the channel refuses the phone's own (many merchants have no contract for it): a code to scan. */
export const insteadOf = (method: string, methods: string[]): string | null =>
  !isInWechat && method !== 'native' && methods.includes('native') ? 'native' : null
