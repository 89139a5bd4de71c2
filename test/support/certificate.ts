/** A certificate of its own as WeChat Pay's platform has one, made by openssl: Node reads certificates and makes none. */
import { execFileSync } from 'node:child_process'
import { createPrivateKey, X509Certificate } from 'node:crypto'

/** PEM, the serial by which it is named, and the private key as Base64 DER. */
export function platformCertificate(): { pem: string; serial: string; privateKey: string } {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-subj',
    '/CN=platform',
    '-days',
    '3650',
    '-keyout',
    '-',
  ]
  const text = execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  const certificate = new X509Certificate(/-----BEGIN CERTIFICATE[\s\S]*/.exec(text)?.[0] ?? '')
  const key = createPrivateKey(/[\s\S]*END PRIVATE KEY-----/.exec(text)?.[0] ?? '')
  const privateKey = key.export({ type: 'pkcs8', format: 'der' }).toString('base64')
  return { pem: certificate.toString(), serial: certificate.serialNumber, privateKey }
}
