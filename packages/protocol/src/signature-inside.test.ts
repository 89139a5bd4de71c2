/** What a signature contains that does not verify: the mistakes that merchants make have names. */
import { createHash, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { rsaKeys } from '../../../test/support/keys.ts'
import { insideSignature } from './signature-inside.ts'

const { privateKey, publicKey } = rsaKeys('ours', 1024)
const TEXT = Buffer.from('{"a":"1"}')

describe('what is inside a signature', () => {
  it.each([
    ['sha256', 'SHA-256'],
    ['sha1', 'SHA-1'],
    ['md5', 'MD5'],
    ['sha384', 'SHA-384'],
    ['sha512', 'SHA-512'],
  ])('made with %s is the digest, and its name %s', (algorithm, hash) => {
    const digest = createHash(algorithm).update(TEXT).digest('hex')
    expect(insideSignature(sign(algorithm, TEXT, privateKey), publicKey)).toEqual({ hash, digest })
  })

  it('made with a digest that we do not know is all of it, and has no name', () => {
    const digest = createHash('sha224').update(TEXT).digest('hex')
    const inside = insideSignature(sign('sha224', TEXT, privateKey), publicKey)
    expect(inside?.hash).toBe('?')
    expect(inside?.digest).toMatch(new RegExp(`^302d.*${digest}$`))
  })

  it('made with another key, or no signature at all, is nothing', () => {
    const other = rsaKeys('stranger', 1024)
    expect(insideSignature(sign('sha256', TEXT, other.privateKey), publicKey)).toBeNull()
    expect(insideSignature(Buffer.from('none'), publicKey)).toBeNull()
  })
})
