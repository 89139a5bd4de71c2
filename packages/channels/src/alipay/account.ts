/** A merchant's account with Alipay's OpenAPI gateway, V2 with RSA2. */
export type AlipayAccount = {
  /** `https://openapi.alipay.com/gateway.do`, or the address of a simulator. */
  gateway: string
  appId: string
  /** The seller's number, `2088…`. Notifications for other sellers are rejected. */
  sellerId: string
  /**
   * The product that codes to scan are sold under: `QR_CODE_OFFLINE` with the contract 订单码支付, `FACE_TO_FACE_PAYMENT` with
   * 当面付, `OFFLINE_PAYMENT` with its 快捷版. Absent: none is sent, and Alipay decides by the contract.
   */
  productCode?: string
  /**
   * The product of payments inside Alipay (JSAPI): `JSAPI_PAY` in a mini-program, `FACE_TO_FACE_PAYMENT` with 当面付 on a page in
   * Alipay's browser. With it the cashier identifies payers there and shows Alipay's own sheet.
   */
  jsapiProductCode?: string
  /** The address that identifies payers inside Alipay, if it is not Alipay's own. */
  authorizeUrl?: string
  /**
   * The app is a service provider's and acts for a merchant ("第三方应用"): the token by which the merchant authorized it, and the
   * merchant's own app (`auth_app_id`), of which notifications are then about. `sellerId` is the merchant's.
   */
  appAuthToken?: string
  authAppId?: string
  /** The application's private key, which signs our requests: Base64 DER (PKCS#8 or PKCS#1) or PEM. */
  appPrivateKey: string
  /** Alipay's public key, which verifies its answers and notifications: Base64 DER or PEM. Absent in certificate mode. */
  alipayPublicKey?: string
  /**
   * Certificate mode ("公钥证书"): the app's certificate, Alipay's, and Alipay's roots, in PEM, as the platform's files
   * `appCertPublicKey_….crt`, `alipayCertPublicKey_RSA2.crt` and `alipayRootCert.crt` hold them. All three or none.
   */
  appCert?: string
  alipayCert?: string
  alipayRootCert?: string
}
