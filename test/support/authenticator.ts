/** An authenticator (WebAuthn) in software, with one passkey. A test may make it answer wrongly. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type { NewPasskeyAnswer, PasskeyAnswer, PasskeyOptions } from '@acopay/protocol/console'

/** What an answer may have otherwise. `counter`: the one that is signed; else it grows by one. */
export type Odd = {
  origin?: string
  rpId?: string
  type?: string
  flags?: number
  counter?: number
  key?: KeyObject
  attestation?: [format: string, statement: Map<string, unknown>]
}

const sha256 = (bytes: Buffer | string): Buffer => createHash('sha256').update(bytes).digest()

const PRESENT_AND_VERIFIED = 0x01 | 0x04
const HAS_KEY = 0x40

export function authenticator({ origin, rpId }: { origin: string; rpId: string }) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const credentialId = randomBytes(32)
  const id = credentialId.toString('base64url')
  const cose = new Map<number, number | Buffer>([
    ...([
      [1, 2],
      [3, -7],
      [-1, 1],
    ] as const),
    [-2, Buffer.from(x, 'base64url')],
    [-3, Buffer.from(y, 'base64url')],
  ])
  let counter = 0

  const clientDataOf = ({ challenge }: PasskeyOptions, type: string, odd: Odd): Buffer =>
    Buffer.from(JSON.stringify({ type: odd.type ?? type, challenge, origin: odd.origin ?? origin, crossOrigin: false }))
  const authDataOf = (flags: number, odd: Odd): Buffer => {
    counter = odd.counter ?? counter + 1
    const head = Buffer.alloc(5)
    head.writeUInt8(odd.flags ?? flags, 0)
    head.writeUInt32BE(counter, 1)
    return Buffer.concat([sha256(odd.rpId ?? rpId), head])
  }
  return {
    id,
    register(options: PasskeyOptions, odd: Odd = {}): NewPasskeyAnswer {
      const length = Buffer.from([0, credentialId.length])
      const key = [Buffer.alloc(16), length, credentialId, cbor(cose)]
      const authData = Buffer.concat([authDataOf(PRESENT_AND_VERIFIED | HAS_KEY, odd), ...key])
      const [format, statement] = odd.attestation ?? ['none', new Map()]
      const object = new Map<string, unknown>([
        ['fmt', format],
        ['attStmt', statement],
        ['authData', authData],
      ])
      const clientDataJSON = clientDataOf(options, 'webauthn.create', odd).toString('base64url')
      const attestationObject = cbor(object).toString('base64url')
      return { id, response: { clientDataJSON, attestationObject, transports: ['usb', 'a word of tomorrow'] } }
    },
    sign(options: PasskeyOptions, odd: Odd = {}): PasskeyAnswer {
      const clientData = clientDataOf(options, 'webauthn.get', odd)
      const authData = authDataOf(PRESENT_AND_VERIFIED, odd)
      const signature = sign('sha256', Buffer.concat([authData, sha256(clientData)]), odd.key ?? privateKey)
      return {
        id,
        response: {
          clientDataJSON: clientData.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: signature.toString('base64url'),
        },
      }
    },
  }
}

/** The part of CBOR (RFC 8949) that an authenticator needs. */
export function cbor(value: unknown): Buffer {
  if (typeof value === 'number') return value < 0 ? cborHead(1, -1 - value) : cborHead(0, value)
  if (typeof value === 'string') return Buffer.concat([cborHead(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (Buffer.isBuffer(value)) return Buffer.concat([cborHead(2, value.length), value])
  if (Array.isArray(value)) return Buffer.concat([cborHead(4, value.length), ...value.map(cbor)])
  if (value instanceof Map) return Buffer.concat([cborHead(5, value.size), ...[...value].flat().map(cbor)])
  throw new Error(`no CBOR for ${typeof value}`)
}

function cborHead(major: number, count: number): Buffer {
  if (count < 24) return Buffer.from([(major << 5) | count])
  if (count < 256) return Buffer.from([(major << 5) | 24, count])
  return Buffer.from([(major << 5) | 25, count >> 8, count & 255])
}
