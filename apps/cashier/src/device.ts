/** What the payer holds, so far as it decides which way to pay is offered. */

const AGENT = navigator.userAgent

export const isInWechat = /MicroMessenger/i.test(AGENT)
export const isInAlipay = /AlipayClient/i.test(AGENT)
export const isPhone = /Android|iPhone|iPod|Mobile|HarmonyOS/i.test(AGENT)

/** The method a channel is started with here; null where it cannot be. */
export function methodFor(methods: string[]): string | null {
  const wished = isPhone || isInAlipay ? ['h5', 'page', 'native'] : ['native', 'page', 'h5']
  return wished.find((method) => methods.includes(method)) ?? null
}
