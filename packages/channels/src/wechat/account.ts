/** A merchant's account with WeChat Pay API v3, and what its calls need from outside. */
export type WechatAccount = {
  /** `https://api.mch.weixin.qq.com`, or a stand-in. */
  baseUrl: string
  appId: string
  mchId: string
  /** Serial number of the merchant's certificate. */
  serialNo: string
  /** Base64 DER (PKCS#8) or PEM, like all keys here. */
  mchPrivateKey: string
  /** 32 bytes, for what WeChat Pay encrypts for us. */
  apiV3Key: string
  /** Keys WeChat Pay signs with: by certificate serial, or by public key id (`PUB_KEY_ID_…`). */
  platformKeys: { id: string; publicKey: string }[]
  /** Of the official account `appId`; with it payers inside WeChat are known, and pay there. */
  appSecret?: string
  /** Both only for stand-ins: where payers are sent to be known, and where we ask who they were. */
  authorizeUrl?: string
  tokenUrl?: string
}
