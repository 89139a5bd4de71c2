/** Which method of a channel works on which device. */

export type Device = { isInWechat: boolean; isInAlipay: boolean; isPhone: boolean }

/** `agent`: the browser's user agent. */
export const deviceOf = (agent: string): Device => ({
  isInWechat: /MicroMessenger/i.test(agent),
  isInAlipay: /AlipayClient/i.test(agent),
  isPhone: /Android|iPhone|iPod|Mobile|HarmonyOS/i.test(agent),
})

/** The method to start a channel with on this device; null where none works. A wallet's browser opens no other wallet. */
export function methodFor(device: Device, channel: string, methods: readonly string[]): string | null {
  const { isInWechat, isInAlipay } = device
  if ((isInWechat && channel !== 'wechat') || (isInAlipay && channel !== 'alipay')) return null
  return bestMethods(device).find((method) => methods.includes(method)) ?? null
}

/** The methods that work on this device, the best first. */
function bestMethods({ isInWechat, isInAlipay, isPhone }: Device): string[] {
  if (isInWechat) return ['jsapi']
  return isPhone || isInAlipay ? ['h5', 'page', 'native'] : ['native', 'page', 'h5']
}

/** The method to try when the channel refuses the phone's own (many merchants have no contract for it): a code to scan. */
export const insteadOf = ({ isInWechat }: Device, method: string, methods: readonly string[]): string | null =>
  !isInWechat && method !== 'native' && methods.includes('native') ? 'native' : null
