/** "下载平台证书": the certificates of the keys that WeChat Pay signs with, encrypted under the merchant's APIv3 key. */
import { X509Certificate } from 'node:crypto'
import type { WechatStandInSettings } from './settings.ts'
import { seal } from './signature.ts'
import { type Answer, refuse } from './verbs.ts'

/** Accounts that have the public key alone have no certificates. */
export function certificates({ platformCertificate, apiV3Key }: WechatStandInSettings): Answer {
  if (platformCertificate === undefined) return refuse(404, 'RESOURCE_NOT_EXISTS')
  const { serialNumber, validFrom, validTo } = new X509Certificate(platformCertificate)
  const certificate = {
    serial_no: serialNumber,
    effective_time: new Date(validFrom).toISOString(),
    expire_time: new Date(validTo).toISOString(),
    encrypt_certificate: seal(apiV3Key, 'certificate', platformCertificate),
  }
  return { status: 200, data: { data: [certificate] } }
}
