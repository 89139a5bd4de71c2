/**
 * An authority like Alipay's, by `node-forge`: roots, an authority in between, and what it issues for a merchant's app and for
 * Alipay. Names, uses and chains are those of real files (docs/upstreams/alipay.md).
 */
import { createPrivateKey } from 'node:crypto'
import forge from 'node-forge'
import { pemKeys } from '../keys.ts'

export type KeyPem = ReturnType<typeof keyPem>

/** The same name is the same pair. */
export const keyPem = (whose: string) => pemKeys(whose, 1024)

/** Base64 DER, as the stand-in's settings have them. */
export const privateDer = ({ privatePem }: KeyPem): string =>
  createPrivateKey(privatePem).export({ type: 'pkcs8', format: 'der' }).toString('base64')

/** Roots that sign with elliptic curves or SM2 are in Alipay's file as well. Made by `openssl req -x509 -newkey ec`. */
const ELLIPTIC_ROOT = `-----BEGIN CERTIFICATE-----
MIIBqzCCAVCgAwIBAgIBBzAKBggqhkjOPQQDAjAzMQswCQYDVQQGEwJDTjENMAsG
A1UECgwEVGVzdDEVMBMGA1UEAwwMVGVzdCBSb290IEUxMCAXDTI2MTEyNjIwMjkx
NFoYDzIxMjYxMTAyMjAyOTE0WjAzMQswCQYDVQQGEwJDTjENMAsGA1UECgwEVGVz
dDEVMBMGA1UEAwwMVGVzdCBSb290IEUxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD
QgAEUddvDLiV9ZS/NxJEZCoeeRjV3POe+dKqv6MGYq9GH+ero6lkeVxDr4E53FlI
RUXkHqVRNtK1pNJsX8qLu6YufqNTMFEwHQYDVR0OBBYEFBq7g68ehaac6o1f/tk4
wq8uXsVvMB8GA1UdIwQYMBaAFBq7g68ehaac6o1f/tk4wq8uXsVvMA8GA1UdEwEB
/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAMhNIxGEx8SjeDhxWWnh8NCEQmct
s48h7CN28HMrHvAWAiEAigejB0XDZlXvWkguA7616BpSzGKdcbbiFD3647dn9kE=
-----END CERTIFICATE-----
`

type Name = { shortName: string; value: string }[]

const name = (O: string, OU: string, CN: string): Name => [
  { shortName: 'C', value: 'CN' },
  { shortName: 'O', value: O },
  { shortName: 'OU', value: OU },
  { shortName: 'CN', value: CN },
]

type Issue = {
  subject: Name
  key: KeyPem
  serial: string
  from?: string
  until?: string
  isAuthority?: boolean
}
export type Authority = { subject: Name; key: KeyPem; file: string }

/** Signed by `by`, or by itself. */
function issue({ subject, key, serial, from, until, isAuthority }: Issue, by: Authority | null): Authority {
  const made = forge.pki.createCertificate()
  const utf8 = (of: Name) => of.map((part) => ({ ...part, valueTagClass: forge.asn1.Type.UTF8 as never }))
  made.serialNumber = serial
  made.publicKey = forge.pki.publicKeyFromPem(key.publicPem)
  made.setSubject(utf8(subject))
  made.setIssuer(utf8(by?.subject ?? subject))
  made.validity.notBefore = new Date(from ?? '2020-01-01T00:00:00Z')
  made.validity.notAfter = new Date(until ?? '2037-01-01T00:00:00Z')
  made.setExtensions(
    isAuthority
      ? [
          { name: 'basicConstraints', cA: true, critical: true },
          { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
        ]
      : [
          {
            name: 'keyUsage',
            ...{ digitalSignature: true, nonRepudiation: true, keyEncipherment: true, dataEncipherment: true },
            critical: true,
          },
        ],
  )
  made.sign(forge.pki.privateKeyFromPem((by?.key ?? key).privatePem), forge.md.sha256.create())
  return { subject, key, file: forge.pki.certificateToPem(made) }
}

const ALIPAY = '支付宝(中国)网络技术有限公司-2088000000000001'

export type AlipayAuthority = ReturnType<typeof alipayAuthority>

/** `whose`: another name is another authority, with other keys and the same names. */
export function alipayAuthority(whose = 'Alipay') {
  const authority = (CN: string, serial: string, by: Authority | null, until?: string): Authority => {
    const key = keyPem(`${whose} ${CN} ${by === null ? 'itself' : 'below'}`)
    const subject = name('Ant Financial', 'Certification Authority', CN)
    return issue({ subject, key, serial, isAuthority: true, ...(until === undefined ? {} : { until }) }, by)
  }
  const root = authority('Ant Financial Certification Authority R1', '62c4ab', null)
  const class2 = authority('Ant Financial Certification Authority Class 2 R1', '62c4abe5b280325f', root)
  const otherRoot = authority('iTrusChina Class 2 Root CA - G3', '0d', null)
  const [app, alipay] = [keyPem('app'), keyPem('alipay')]
  type How = { from?: string; until?: string; key?: KeyPem; by?: Authority; CN?: string; chain?: string }

  /** The file of a certificate with which Alipay signs for this merchant, and the certificates up to the root. */
  const issueAlipay = (serial: string, { key = alipay, by = class2, CN = ALIPAY, chain, ...validity }: How = {}) =>
    issue({ subject: name('某某商店', 'Alipay', CN), key, serial, ...validity }, by).file + (chain ?? by.file)
  const issueApp = (serial: string, validity: { from?: string; until?: string; key?: KeyPem } = {}) =>
    issue(
      { subject: name('某某商店', 'Alipay', '2088000000000001-2021000000000001'), key: app, serial, ...validity },
      class2,
    )

  return {
    app,
    alipay,
    root,
    class2,
    authority,
    issueAlipay,
    issueApp,
    rootFile: ELLIPTIC_ROOT + root.file + otherRoot.file,
    appFile: issueApp('2023092800112233').file,
    alipayFile: issueAlipay('20240105ffee0011'),
  }
}
