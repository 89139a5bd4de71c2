/** The account that the simulator of Alipay knows. */
export type AlipayStandInSettings = {
  appId: string
  sellerId: string
  /** Base64 DER (SPKI): verifies the merchant's requests. */
  appPublicKey: string
  /** Base64 DER (PKCS#8): signs answers and notifications. */
  alipayPrivateKey: string
  /** The app is one of certificate mode. Absent: of key mode. */
  certificates?: AlipayCertificates
}

/** Files of certificates, in PEM. */
export type AlipayCertificates = {
  app: string
  root: string
  /**
   * What Alipay signs with, each from its first day on. `privateKey`: Base64 DER (PKCS#8); absent: `alipayPrivateKey`, since a
   * certificate that is issued again keeps its key.
   */
  alipay: { file: string; privateKey?: string }[]
}
