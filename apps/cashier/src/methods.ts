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
  if (isInAlipay) return ['jsapi', 'h5', 'page', 'native']
  return isPhone ? ['h5', 'page', 'native'] : ['native', 'page', 'h5']
}

/**
 * The method to try when the channel refuses the device's own (many merchants have no contract for it): inside Alipay its page,
 * elsewhere a code to scan.
 */
export function insteadOf(
  { isInWechat, isInAlipay }: Device,
  method: string,
  methods: readonly string[],
): string | null {
  const instead = isInAlipay && method === 'jsapi' ? 'h5' : 'native'
  return !isInWechat && method !== instead && methods.includes(instead) ? instead : null
}

/**
 * Whether the code for scanning is an address that this device opens in the wallet itself: Alipay's codes are, on a telephone and in
 * Alipay's own browser. WeChat Pay's can only be scanned.
 */
export const opensItself = ({ isInWechat, isInAlipay, isPhone }: Device, channel: string, code: string): boolean =>
  channel === 'alipay' && !isInWechat && (isInAlipay || isPhone) && code.startsWith('https://qr.alipay.com/')
