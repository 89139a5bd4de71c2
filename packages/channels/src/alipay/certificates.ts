/**
 * Certificate mode ("公钥证书", opendocs.alipay.com 057k53): whose certificates they are, what Alipay calls them, and which of
 * them can be believed. Sources: docs/upstreams/alipay.md.
 */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto'
import { BadSetting } from '../bad-setting.ts'
import { privateKeyOf } from '../keys.ts'
import type { AlipayAccount } from './account.ts'

/** A certificate of Alipay's that was issued below a root of the account's, and the time in which all of its chain is valid. */
export type Believed = { serial: string; name: string; key: KeyObject; from: Date; until: Date }

export type Certificates = {
  appSerial: string
  rootSerial: string
  roots: X509Certificate[]
  alipay: Believed
  app: X509Certificate
}

/** True when the account has settings of certificate mode, even if not all of them. */
export const isCertificateMode = ({ appCert, alipayCert, alipayRootCert }: AlipayAccount): boolean =>
  [appCert, alipayCert, alipayRootCert].some((text) => text !== undefined && text !== '')

/** Throws `BadSetting` unless the three settings are there, can be read and belong together. */
export function readCertificates(account: AlipayAccount, appKey: KeyObject): Certificates {
  const [app] = certificatesOf(account, 'appCert')
  const roots = certificatesOf(account, 'alipayRootCert')
  const chain = certificatesOf(account, 'alipayCert')
  if (!app.checkPrivateKey(appKey)) {
    throw new BadSetting('appCert', '与应用私钥不是一对', "does not belong to the app's private key")
  }
  const rootSerial = rootSerialOf(roots)
  if (rootSerial === '') throw new BadSetting('alipayRootCert', '没有RSA根证书', 'contains no RSA certificate')
  const alipay = believedOf(chain, roots)
  if (alipay === null) {
    throw new BadSetting(
      'alipayCert',
      '不是由这份支付宝根证书签发的；请粘贴整个文件，含中间证书',
      'is not issued below this root; paste the whole file, with the certificate in between',
    )
  }
  return { appSerial: serialOf(app), rootSerial, roots, alipay, app }
}

/** The certificates of an account in certificate mode, and when they end: of Alipay's chain, the one that ends first. */
export function alipayCertificates(account: AlipayAccount): { setting: string; until: Date }[] {
  if (!isCertificateMode(account)) return []
  const { app, alipay } = readCertificates(account, privateKeyOf(account.appPrivateKey))
  return [
    { setting: 'appCert', until: new Date(endOf(app)) },
    { setting: 'alipayCert', until: alipay.until },
  ]
}

type CertificateSetting = 'appCert' | 'alipayCert' | 'alipayRootCert'

/** The certificates of a setting, at least one. */
function certificatesOf(account: AlipayAccount, setting: CertificateSetting): [X509Certificate, ...X509Certificate[]] {
  const text = account[setting] ?? ''
  if (text === '') throw new BadSetting(setting, '证书模式需要此项', 'certificate mode needs it')
  try {
    const [first, ...others] = certificatesIn(text)
    if (first !== undefined) return [first, ...others]
  } catch {
    // What OpenSSL says may quote the text.
  }
  throw new BadSetting(setting, '应为PEM证书', 'should be certificates in PEM')
}

/** The certificates of a PEM text, also of one whose lines were joined. Throws when one is none. */
export const certificatesIn = (text: string): X509Certificate[] =>
  [...text.matchAll(/-----BEGIN CERTIFICATE-----([\s\S]*?)-----END CERTIFICATE-----/g)].map(
    ([, body = '']) => new X509Certificate(Buffer.from(body, 'base64')),
  )

/**
 * What Alipay calls a certificate: "证书签发机构名称(name)以及证书内置序列号(serialNumber)拼接成字符串，再对该字符串做MD5计算". The name is
 * that of RFC 2253, whose parts come in reverse; the number is decimal.
 */
function serialOf({ issuer, serialNumber }: X509Certificate): string {
  const name = issuer.split('\n').reverse().join(',')
  return createHash('md5')
    .update(name + decimalOf(serialNumber))
    .digest('hex')
}

/** Of a hexadecimal number, which may be negative. */
const decimalOf = (hex: string): string =>
  hex.startsWith('-') ? `-${decimalOf(hex.slice(1))}` : `${BigInt(`0x${hex}`)}`

/** Only certificates that are signed with RSA count; the file has one for SM2 and one for elliptic curves as well. */
const rootSerialOf = (roots: X509Certificate[]): string => roots.filter(isSignedWithRsa).map(serialOf).join('_')

/** 1.2.840.113549.1.1, under which PKCS #1 has all its algorithms. */
const RSA = Buffer.from('2a864886f70d0101', 'hex')

/** A certificate is a sequence of what is certified, the signature's algorithm (a sequence that begins with its name), … */
function isSignedWithRsa({ raw }: X509Certificate): boolean {
  const certified = contentOf(raw, contentOf(raw, 0).start)
  const algorithm = contentOf(raw, certified.end)
  const name = contentOf(raw, algorithm.start)
  return raw.subarray(name.start, name.end).indexOf(RSA) === 0
}

/** Where the content of the DER value at `at` begins and ends (X.690, 8.1). */
function contentOf(der: Buffer, at: number): { start: number; end: number } {
  const first = der.readUInt8(at + 1)
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const start = at + 2 + (first & 0x7f)
  return { start, end: start + der.readUIntBE(at + 2, first & 0x7f) }
}

/** The first certificate, if a chain of the others leads from it to a root; null otherwise. */
export function believedOf([leaf, ...between]: X509Certificate[], roots: X509Certificate[]): Believed | null {
  const path = leaf === undefined ? null : pathOf(leaf, between, roots)
  if (leaf === undefined || path === null || leaf.publicKey.asymmetricKeyType !== 'rsa') return null
  return {
    serial: serialOf(leaf),
    name: commonNameOf(leaf),
    key: leaf.publicKey,
    from: new Date(Math.max(...path.map(({ validFrom }) => Date.parse(validFrom)))),
    until: new Date(Math.min(...path.map(endOf))),
  }
}

const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)

/**
 * "支付宝(中国)网络技术有限公司-2088…": Alipay's name for what it signs with for this merchant. The certificates of merchants' apps
 * are issued by the same authority, so a chain alone does not prove that a certificate is Alipay's.
 */
const commonNameOf = ({ subject }: X509Certificate): string => /^CN=(.*)$/m.exec(subject)?.[1] ?? ''

function pathOf(leaf: X509Certificate, between: X509Certificate[], roots: X509Certificate[]): X509Certificate[] | null {
  const path = [leaf]
  // Each step uses another certificate: no path is longer than all of them.
  while (path.length <= between.length + 1) {
    const last = path.at(-1) as X509Certificate
    const root = roots.find((one) => isIssuedBy(last, one))
    if (root !== undefined) return [...path, root]
    const issuer = between.find((one) => one.ca && isIssuedBy(last, one))
    if (issuer === undefined) return null
    path.push(issuer)
  }
  return null
}

/** By its names and what the issuer's certificate may be used for (`checkIssued`), and by the signature. */
function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return one.checkIssued(issuer) && one.verify(issuer.publicKey)
  } catch {
    // A key of a kind that OpenSSL does not know, such as SM2.
    return false
  }
}
