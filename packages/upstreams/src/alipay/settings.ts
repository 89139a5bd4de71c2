/** The account that the simulator of Alipay knows. */
export type AlipayStandInSettings = {
  appId: string
  sellerId: string
  /** Base64 DER (SPKI): verifies the merchant's requests. */
  appPublicKey: string
  /** Base64 DER (PKCS#8): signs answers and notifications. */
  alipayPrivateKey: string
  /** The app is a service provider's: it is answered only with this token, for the merchant whose app is `appId` here. */
  authorized?: { token: string; appId: string }
  /** The product of codes to scan in the merchant's contract: a must then, and no other one. Absent: any, or none. */
  productCode?: string
  /** Who pays inside Alipay; absent: `SANDBOX_BUYER`. */
  buyerId?: string
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

/** The payer whom Alipay's browser identifies. */
export const SANDBOX_BUYER = '2088000000000099'
