/** The account that the simulator of WeChat Pay knows. */
export type WechatStandInSettings = {
  mchId: string
  appId: string
  /** With it the account is a service provider's, which calls for this sub-merchant, and for that one alone. */
  subMchId?: string
  /** The sub-merchant's own app. */
  subAppId?: string
  /** The merchant's mini-program, and its secret; a service provider's account has the sub-merchant's. */
  miniAppId?: string
  miniAppSecret?: string
  /** 32 bytes: encrypts notifications. */
  apiV3Key: string
  /** Base64 DER (SPKI): verifies the merchant's requests. */
  merchantPublicKey: string
  merchantSerial: string
  /** The secret of the merchant's official account. */
  appSecret: string
  /** Base64 DER (PKCS#8): signs answers and notifications. */
  platformPrivateKey: string
  /** The serial by which answers name the key that signed them. */
  platformSerial: string
  /** The certificate of that key, PEM, if the account verifies with certificates; the serial is then its own. */
  platformCertificate?: string
}
