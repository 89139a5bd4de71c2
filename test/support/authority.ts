/** A certificate authority of a test's own, by `node-forge`: Node reads certificates and makes none. */
import { generateKeyPairSync } from 'node:crypto'
import forge from 'node-forge'

/** PEM. */
export type Certified = { cert: string; key: string }

export type Wanted = {
  commonName: string
  /** For a server: the names and addresses that it is issued for. */
  dns?: string[]
  ip?: string[]
  validUntil?: Date
}

const DAY = 86_400_000

export function authority(commonName: string): { cert: string; issue: (wanted: Wanted) => Certified } {
  const own = keyPair()
  const name = [{ shortName: 'CN', value: commonName }]
  const cert = made({ publicPem: own.publicPem, subject: name, issuer: name, validUntil: new Date(Date.now() + DAY) })
  cert.setExtensions([{ name: 'basicConstraints', cA: true, critical: true }])
  const signer = forge.pki.privateKeyFromPem(own.privatePem)
  cert.sign(signer, forge.md.sha256.create())
  return {
    cert: forge.pki.certificateToPem(cert),
    issue({ commonName: subject, dns = [], ip = [], validUntil = new Date(Date.now() + DAY) }) {
      const { publicPem, privatePem } = keyPair()
      const issued = made({ publicPem, subject: [{ shortName: 'CN', value: subject }], issuer: name, validUntil })
      const altNames = [...dns.map((value) => ({ type: 2, value })), ...ip.map((address) => ({ type: 7, ip: address }))]
      issued.setExtensions([
        { name: 'basicConstraints', cA: false },
        ...(altNames.length > 0 ? [{ name: 'subjectAltName', altNames }] : []),
      ])
      issued.sign(signer, forge.md.sha256.create())
      return { cert: forge.pki.certificateToPem(issued), key: privatePem }
    },
  }
}

function keyPair(): { publicPem: string; privatePem: string } {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

type Name = { shortName: string; value: string }[]
type Made = { publicPem: string; subject: Name; issuer: Name; validUntil: Date }

let serial = 1

function made({ publicPem, subject, issuer, validUntil }: Made): forge.pki.Certificate {
  const cert = forge.pki.createCertificate()
  serial += 1
  cert.serialNumber = serial.toString(16).padStart(4, '0')
  cert.publicKey = forge.pki.publicKeyFromPem(publicPem)
  cert.setSubject(subject)
  cert.setIssuer(issuer)
  cert.validity.notBefore = new Date(Date.now() - 10 * DAY)
  cert.validity.notAfter = validUntil
  return cert
}
