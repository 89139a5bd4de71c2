/** A certificate as WeChat Pay's platform has one, by `node-forge`: Node reads certificates and makes none. */
import { X509Certificate } from 'node:crypto'
import forge from 'node-forge'
import { derKeys, pemKeys } from './keys.ts'

/** PEM, the serial by which it is named, and the private key as Base64 DER. */
export function platformCertificate(): { pem: string; serial: string; privateKey: string } {
  const { privatePem, publicPem } = pemKeys('platform certificate', 1024)
  const made = forge.pki.createCertificate()
  made.serialNumber = '5157F09EFDC096DE15EBE81A47057A7232F1B8E1'
  made.publicKey = forge.pki.publicKeyFromPem(publicPem)
  const name = [{ shortName: 'CN', value: 'platform' }]
  made.setSubject(name)
  made.setIssuer(name)
  made.validity.notBefore = new Date('2020-01-01T00:00:00Z')
  made.validity.notAfter = new Date('2037-01-01T00:00:00Z')
  made.sign(forge.pki.privateKeyFromPem(privatePem), forge.md.sha256.create())
  const certificate = new X509Certificate(forge.pki.certificateToPem(made))
  const { privateKey } = derKeys('platform certificate', 1024)
  return { pem: certificate.toString(), serial: certificate.serialNumber, privateKey }
}
