/**
 * Certificate mode from Alipay's side: which certificate signs now, what certificates are called, and what a request must name
 * (opendocs.alipay.com 057k53, 02kdnf).
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { privateKeyOf } from '../keys.ts'
import type { AlipayCertificates, AlipayStandInSettings } from './settings.ts'

/** One that Alipay signs with, from its first day on. */
export type Signing = { serial: string; file: string; key: KeyObject; from: number }

/** "签发者名称 + 序列号" under MD5. The first certificate of a file counts. */
function serialIn(file: string): string {
  const { issuer, serialNumber } = new X509Certificate(file)
  const parts = issuer.split('\n')
  parts.reverse()
  return createHash('md5')
    .update(`${parts.join(',')}${BigInt(`0x${serialNumber}`)}`)
    .digest('hex')
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** Of the roots those whose key is of RSA: each has signed itself. */
const rootSerial = (file: string): string =>
  (file.match(PEM) ?? [])
    .filter((pem) => new X509Certificate(pem).publicKey.asymmetricKeyType === 'rsa')
    .map(serialIn)
    .join('_')

export const signingOf = ({ alipay }: AlipayCertificates, settings: AlipayStandInSettings): Signing[] =>
  alipay.map(({ file, privateKey = settings.alipayPrivateKey }) => ({
    serial: serialIn(file),
    file,
    key: privateKeyOf(privateKey),
    from: Date.parse(new X509Certificate(file).validFrom),
  }))

/** Why a request of a certificate app is refused for what it names; null when it is not. */
export function wrongSerial({ app, root }: AlipayCertificates, params: URLSearchParams, nowMs: number): string | null {
  const [appSerial, rootGiven] = [params.get('app_cert_sn') ?? '', params.get('alipay_root_cert_sn') ?? '']
  if (appSerial === '') return 'isv.missing-app-cert-sn'
  if (rootGiven === '') return 'isv.missing-alipay-root-cert-sn'
  if (appSerial !== serialIn(app)) return 'isv.app-cert-not-exist'
  if (Date.parse(new X509Certificate(app).validTo) <= nowMs) return 'isv.app-cert-expired'
  return rootGiven === rootSerial(root) ? null : 'isv.invalid-alipay-root-cert-sn'
}
