/** What the payer holds, so far as it decides which way to pay is offered. */

const AGENT = navigator.userAgent

export const isInWechat = /MicroMessenger/i.test(AGENT)
const isInAlipay = /AlipayClient/i.test(AGENT)
const isPhone = /Android|iPhone|iPod|Mobile|HarmonyOS/i.test(AGENT)

/** Shown by the host script above somebody else's page. */
export const isFramed = window.parent !== window

/** The method a channel is started with here; null where it cannot be: a wallet's browser opens no other wallet. */
export function methodFor(channel: string, methods: string[]): string | null {
  if ((isInWechat && channel !== 'wechat') || (isInAlipay && channel !== 'alipay')) return null
  const wished = isInWechat ? ['jsapi'] : isPhone || isInAlipay ? ['h5', 'page', 'native'] : ['native', 'page', 'h5']
  return wished.find((method) => methods.includes(method)) ?? null
}

/** Where a telephone's way is refused, which many merchants have no contract for: a code for another telephone. */
export const insteadOf = (method: string, methods: string[]): string | null =>
  !isInWechat && method !== 'native' && methods.includes('native') ? 'native' : null
