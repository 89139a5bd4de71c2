/** A merchant's account with WeChat Pay API v3. */
export type WechatAccount = {
  /** `https://api.mch.weixin.qq.com`, or the address of a simulator. */
  baseUrl: string
  /** The merchant's app and number. For a service provider's account, those of the provider: `sp_appid`, `sp_mchid`. */
  appId: string
  mchId: string
  /** The sub-merchant that takes the money, `sub_mchid`. With it this is a service provider's account ("服务商模式"). */
  subMchId?: string
  /** The sub-merchant's own app, `sub_appid`, if payers are known to that one. */
  subAppId?: string
  /** Serial number of the merchant's certificate. */
  serialNo: string
  /** The private key of the merchant's certificate: Base64 DER (PKCS#8 or PKCS#1) or PEM. */
  mchPrivateKey: string
  /** 32 bytes: decrypts notifications and platform certificates. */
  apiV3Key: string
  /** Keys WeChat Pay signs with, by certificate serial or by public key id (`PUB_KEY_ID_…`): Base64 DER or PEM. */
  platformKeys: { id: string; publicKey: string }[]
  /** The secret of the official account `appId`, or `subAppId` where there is one. Payments inside WeChat (JSAPI) need it, to identify the payer. */
  appSecret?: string
  /** The merchant's mini-program, an app of its own beside `appId`; for a service provider the sub-merchant's. */
  miniAppId?: string
  /** Its secret, with which its payers are identified. */
  miniAppSecret?: string
  /**
   * All for simulators only, in place of WeChat's addresses: the page that identifies a payer, and the calls that ask
   * who it was.
   */
  authorizeUrl?: string
  tokenUrl?: string
  miniTokenUrl?: string
}
