/** What an account with each upstream takes, for the command and the console alike: one list, one check. */
import { type ChannelName, makeChannel } from '@acopay/channels'

export type Setting = { name: string; label: { zh: string; en: string }; isSecret: boolean; isOptional?: true }

const open = (name: string, zh: string, en: string): Setting => ({ name, label: { zh, en }, isSecret: false })
const secret = (name: string, zh: string, en: string): Setting => ({ name, label: { zh, en }, isSecret: true })

export const CHANNEL_SETTINGS: Record<ChannelName, Setting[]> = {
  wechat: [
    open('baseUrl', '接口地址', 'API address'),
    open('appId', 'AppID', 'App ID'),
    open('mchId', '微信商户号', 'WeChat merchant ID'),
    open('serialNo', '商户证书序列号', "Merchant certificate's serial number"),
    secret('mchPrivateKey', '商户私钥', "Merchant's private key"),
    secret('apiV3Key', 'APIv3密钥', 'APIv3 key'),
    open(
      'platformKeys',
      '微信支付公钥（JSON数组，用证书验签则填 []）',
      "WeChat Pay's public keys (JSON list; [] for certificates)",
    ),
    {
      ...secret(
        'appSecret',
        'AppSecret（可选；填写后可在微信内付款）',
        'App secret (optional; payers inside WeChat can then pay there)',
      ),
      isOptional: true,
    },
  ],
  alipay: [
    open('gateway', '网关地址', 'Gateway address'),
    open('appId', '应用 AppID', 'App ID'),
    open('sellerId', '卖家支付宝用户号（2088…）', "Seller's user ID (2088…)"),
    secret('appPrivateKey', '应用私钥', "App's private key"),
    open('alipayPublicKey', '支付宝公钥', "Alipay's public key"),
  ],
}

/** Null when an account can be made of these; else the setting that is wrong and what it should be. No value is repeated. */
export function settingsProblem(
  channel: ChannelName,
  settings: Record<string, unknown>,
): { field: string; zh: string; en: string } | null {
  const missing = CHANNEL_SETTINGS[channel].find(
    ({ name, isOptional }) => !isOptional && (settings[name] === undefined || settings[name] === ''),
  )
  if (missing !== undefined)
    return { field: missing.name, zh: `缺少 ${missing.name}`, en: `${missing.name} is missing` }
  if (channel === 'wechat' && Buffer.byteLength(String(settings.apiV3Key)) !== 32) {
    return { field: 'apiV3Key', zh: 'apiV3Key 应为32字节', en: 'apiV3Key should be 32 bytes' }
  }
  if (channel === 'wechat' && !Array.isArray(settings.platformKeys)) {
    return { field: 'platformKeys', zh: 'platformKeys 应为数组', en: 'platformKeys should be a list' }
  }
  try {
    makeChannel(channel, settings, { fetch, now: () => new Date(), newNonce: () => '' })
    return null
  } catch {
    const field = channel === 'wechat' ? 'mchPrivateKey' : 'appPrivateKey'
    return { field, zh: '密钥无法读取，应为Base64 DER或PEM', en: 'a key cannot be read: Base64 DER or PEM' }
  }
}
