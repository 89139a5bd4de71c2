/** The settings of an account with each upstream, and their check, for the command and the console. */
import { BadSetting, type ChannelName, certificatesOf, makeChannel, wechatServiceOf } from '@acopay/channels'

export type Setting = {
  name: string
  label: { zh: string; en: string }
  isSecret: boolean
  isOptional?: true
  /** Identifies the account: with another value it is another account, which does not know this one's attempts. */
  isIdentity?: true
  /** An identity that an account without one may be given: nothing was paid through it yet. */
  mayBeAdded?: true
}

const open = (name: string, zh: string, en: string): Setting => ({ name, label: { zh, en }, isSecret: false })
const identity = (name: string, zh: string, en: string): Setting => ({ ...open(name, zh, en), isIdentity: true })
const optional = (setting: Setting): Setting => ({ ...setting, isOptional: true })
const secret = (name: string, zh: string, en: string): Setting => ({ name, label: { zh, en }, isSecret: true })

export const CHANNEL_SETTINGS: Record<ChannelName, Setting[]> = {
  wechat: [
    identity('baseUrl', '接口地址', 'API address'),
    identity('appId', 'AppID（服务商填 sp_appid）', 'App ID (sp_appid for service providers)'),
    identity('mchId', '微信商户号（服务商填 sp_mchid）', 'WeChat merchant ID (sp_mchid for service providers)'),
    optional(
      identity(
        'subMchId',
        '子商户号 sub_mchid（可选；填写即为服务商模式）',
        'Sub-merchant sub_mchid (optional; with it, service provider mode)',
      ),
    ),
    optional(
      identity(
        'subAppId',
        '子商户 AppID sub_appid（可选；服务商模式）',
        "Sub-merchant's app sub_appid (optional; service provider mode)",
      ),
    ),
    open('serialNo', '商户证书序列号', "Merchant certificate's serial number"),
    secret('mchPrivateKey', '商户私钥', "Merchant's private key"),
    secret('apiV3Key', 'APIv3密钥', 'APIv3 key'),
    open(
      'platformKeys',
      '微信支付公钥（JSON数组，用证书验签则填 []）',
      "WeChat Pay's public keys (JSON list; [] for certificates)",
    ),
    {
      ...optional(
        identity(
          'miniAppId',
          '小程序 AppID（可选；服务商填子商户的）',
          "Mini-program's app ID (optional; the sub-merchant's)",
        ),
      ),
      mayBeAdded: true,
    },
    optional(
      secret(
        'miniAppSecret',
        '小程序 AppSecret（可选；付款人由它识别）',
        "Mini-program's secret (optional; it identifies payers)",
      ),
    ),
    optional(
      secret(
        'appSecret',
        'AppSecret（可选；填写后可在微信内付款；有 sub_appid 时填它的）',
        'App secret (optional; payers inside WeChat can then pay there; that of sub_appid where there is one)',
      ),
    ),
  ],
  alipay: [
    identity('gateway', '网关地址', 'Gateway address'),
    identity('appId', '应用 AppID', 'App ID'),
    identity('sellerId', '卖家支付宝用户号（2088…）', "Seller's user ID (2088…)"),
    secret('appPrivateKey', '应用私钥', "App's private key"),
    {
      ...open(
        'alipayPublicKey',
        '支付宝公钥（密钥模式；证书模式不填，改填以下三个证书）',
        "Alipay's public key (key mode; leave it empty in certificate mode, which needs the three certificates below)",
      ),
      isOptional: true,
    },
    {
      ...open(
        'appCert',
        '应用公钥证书 appCertPublicKey_….crt（证书模式）',
        "App's certificate, appCertPublicKey_….crt (certificate mode)",
      ),
      isOptional: true,
    },
    {
      ...open(
        'alipayCert',
        '支付宝公钥证书 alipayCertPublicKey_RSA2.crt（证书模式，整个文件）',
        "Alipay's certificate, alipayCertPublicKey_RSA2.crt (certificate mode, the whole file)",
      ),
      isOptional: true,
    },
    {
      ...open(
        'alipayRootCert',
        '支付宝根证书 alipayRootCert.crt（证书模式）',
        "Alipay's root certificates, alipayRootCert.crt (certificate mode)",
      ),
      isOptional: true,
    },
    {
      ...open(
        'productCode',
        '扫码产品码（可选：订单码支付 QR_CODE_OFFLINE，当面付 FACE_TO_FACE_PAYMENT，当面付快捷版 OFFLINE_PAYMENT）',
        'Product code of codes to scan (optional: QR_CODE_OFFLINE, FACE_TO_FACE_PAYMENT or OFFLINE_PAYMENT, by contract)',
      ),
      isOptional: true,
    },
    {
      ...open(
        'jsapiProductCode',
        '支付宝内付款产品码（可选：小程序 JSAPI_PAY，当面付 FACE_TO_FACE_PAYMENT；填写后可在支付宝内付款）',
        'Product code of payments inside Alipay (optional: JSAPI_PAY or FACE_TO_FACE_PAYMENT; payers inside Alipay can then pay there)',
      ),
      isOptional: true,
    },
    {
      ...secret(
        'appAuthToken',
        '应用授权令牌 app_auth_token（可选：服务商的应用代商家收款）',
        "App auth token (optional: a service provider's app acts for a merchant)",
      ),
      isOptional: true,
    },
    {
      ...open(
        'authAppId',
        '商家应用 AppID auth_app_id（可选：代商家收款时）',
        "Merchant's app ID, auth_app_id (optional: where a service provider acts)",
      ),
      isOptional: true,
    },
  ],
}

/** The changed setting that makes this another account; null when it stays the same account. */
export function otherAccount(
  channel: ChannelName,
  before: Record<string, unknown> | null,
  after: Record<string, unknown>,
): string | null {
  if (before === null) return null
  // An optional setting that is empty is none.
  const identity = (settings: Record<string, unknown>, name: string): unknown =>
    name === 'baseUrl' ? wechatServiceOf(String(settings[name])) : (settings[name] ?? '')
  const changed = CHANNEL_SETTINGS[channel].find(
    ({ name, isIdentity, mayBeAdded }) =>
      isIdentity && identity(before, name) !== identity(after, name) && !(mayBeAdded && identity(before, name) === ''),
  )
  return changed?.name ?? null
}

export const OTHER_ACCOUNT = {
  zh: '此账户已有支付记录，不能改为另一个账户：在途付款码与退款仍属于原账户。请为新账户另建商户',
  en: 'this account has attempts and cannot become another account, because open codes and refunds belong to it. Add another merchant for the new account',
}

/** The address of an upstream; null when it is none. The sandbox's own accounts store the path of a stand-in. */
function addressOf(value: unknown): string | null {
  const text = String(value)
  const url = text.startsWith('/') ? `http://localhost${text}` : text
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) ? url : null
}

type Problem = { field: string; zh: string; en: string }

/** What the optional settings say of merchants and apps. */
function partyProblem(settings: Record<string, unknown>): Problem | null {
  const { mchId, appId, subMchId = '', subAppId = '', miniAppId = '' } = settings
  if (subMchId === '' && subAppId !== '') {
    return { field: 'subAppId', zh: '只有服务商模式（填写 subMchId）才有 subAppId', en: 'subAppId needs subMchId' }
  }
  if (subMchId !== '' && !/^[0-9A-Za-z]{1,32}$/.test(String(subMchId))) {
    return { field: 'subMchId', zh: 'subMchId 应为商户号', en: 'subMchId should be a merchant number' }
  }
  if (miniAppId !== '' && (miniAppId === appId || miniAppId === subAppId)) {
    return { field: 'miniAppId', zh: 'miniAppId 应为另一个 AppID', en: 'miniAppId should be another app' }
  }
  return subMchId !== '' && subMchId === mchId
    ? {
        field: 'subMchId',
        zh: 'subMchId 是子商户号，不能与服务商的 mchId 相同',
        en: "subMchId is not the provider's own mchId",
      }
    : null
}

/** Null when these settings are valid now; else the wrong setting and what it should be. Values are not repeated. */
export function settingsProblem(channel: ChannelName, settings: Record<string, unknown>, now: Date): Problem | null {
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
  const wrong = channel === 'wechat' ? partyProblem(settings) : null
  if (wrong !== null) return wrong
  const address = channel === 'wechat' ? 'baseUrl' : 'gateway'
  const url = addressOf(settings[address])
  if (url === null) return { field: address, zh: `${address} 应为网址`, en: `${address} should be a URL` }
  try {
    makeChannel(channel, { ...settings, [address]: url }, { fetch, now: () => now, newNonce: () => '' })
    const ended = certificatesOf(channel, settings).find(({ until }) => until <= now)
    return ended === undefined ? null : problemWith(new BadSetting(ended.setting, '已过期', 'has ended'))
  } catch (error) {
    if (error instanceof BadSetting) return problemWith(error)
    const field = channel === 'wechat' ? 'mchPrivateKey' : 'appPrivateKey'
    return { field, zh: '密钥无法读取，应为Base64 DER或PEM', en: 'a key cannot be read: Base64 DER or PEM' }
  }
}

const problemWith = ({ setting, says: { zh, en } }: BadSetting): Problem => ({
  field: setting,
  zh: `${setting} ${zh}`,
  en: `${setting} ${en}`,
})
