/** The account that the simulator of Alipay knows. */
export type AlipayStandInSettings = {
  appId: string
  sellerId: string
  /** Base64 DER (SPKI): verifies the merchant's requests. */
  appPublicKey: string
  /** Base64 DER (PKCS#8): signs answers and notifications. */
  alipayPrivateKey: string
}
