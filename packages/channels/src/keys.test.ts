/** Keys in the forms operators paste them. */
import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { rsaKeys } from '../../../test/support/keys.ts'
import { privateKeyOf, publicKeyOf } from './keys.ts'

const { privateKey, publicKey } = rsaKeys('ours')
const pem = (type: 'pkcs8' | 'pkcs1'): string => privateKey.export({ type, format: 'pem' }) as string
const der = (type: 'pkcs8' | 'pkcs1'): string => privateKey.export({ type, format: 'der' }).toString('base64')
const PUBLIC = publicKey.export({ type: 'spki', format: 'der' }).toString('base64')

describe('a private key is read', () => {
  it.each([
    ['as PEM', pem('pkcs8')],
    ['as PEM whose lines a one-line field joined', pem('pkcs8').replaceAll('\n', '')],
    ['as PEM with blanks for its lines', pem('pkcs8').replaceAll('\n', ' ')],
    ['as PEM of PKCS#1', pem('pkcs1')],
    ['as Base64 of PKCS#8', der('pkcs8')],
    ['as Base64 of PKCS#1', der('pkcs1')],
  ])('%s', (_how, text) => {
    const read = createPublicKey(privateKeyOf(text)).export({ type: 'spki', format: 'der' })
    expect(read.toString('base64')).toBe(PUBLIC)
  })

  it.each(['', 'x', pem('pkcs8').slice(0, 200), PUBLIC])('not from %j', (text) => {
    expect(() => privateKeyOf(text)).toThrow()
  })
})

it('a public key is read as PEM, joined or not, and as Base64', () => {
  const asPem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  for (const text of [asPem, asPem.replaceAll('\n', ''), PUBLIC]) {
    expect(publicKeyOf(text).export({ type: 'spki', format: 'der' }).toString('base64')).toBe(PUBLIC)
  }
})
