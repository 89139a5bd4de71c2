import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KEY_BITS_MIN, keyText, privateKeyFrom, publicKeyFrom, signText, verifyText } from './sign.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 })
const TEXT = '{"a":"订单"}'
const signature = await signText(TEXT, privateKey)

describe('signing', () => {
  it('gives 344 characters of padded standard Base64, the same for the same text', async () => {
    expect(signature).toMatch(/^[0-9A-Za-z+/]{342}==$/)
    expect(await signText(TEXT, privateKey)).toBe(signature)
  })

  it('refuses a public key instead of pretending', async () => {
    await expect(signText(TEXT, publicKey)).rejects.toThrow()
  })
})

describe('verifying', () => {
  it('believes the right key over the right text only', () => {
    expect(verifyText(TEXT, signature, publicKey)).toBe(true)
    expect(verifyText(`${TEXT} `, signature, publicKey)).toBe(false)
    expect(verifyText(TEXT, signature, stranger.publicKey)).toBe(false)
  })

  it.each([
    ['empty', ''],
    ['cut short', signature.slice(0, 340)],
    ['without padding', signature.slice(0, 342)],
    ['with one letter more', `A${signature}`],
    ['with a newline at the end', `${signature}\n`],
    ['with a space inside, which a lenient decoder skips', `${signature.slice(0, 100)} ${signature.slice(100)}`],
    ['in the URL alphabet', signature.replaceAll('+', '-').replaceAll('/', '_')],
    ['with four blanks inside', `${signature.slice(0, 100)}    ${signature.slice(100)}`],
    ['of another length that is still Base64', Buffer.alloc(384).toString('base64')],
    ['all zeros', Buffer.alloc(256).toString('base64')],
    ['a megabyte of letters', 'A'.repeat(1 << 20)],
  ])('answers false and does not throw for a signature that is %s', (_, broken) => {
    expect(verifyText(TEXT, broken, publicKey)).toBe(false)
  })

  it('answers false for any one bit turned', () => {
    const bytes = Buffer.from(signature, 'base64')
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const turned = Buffer.from(bytes)
        turned.writeUInt8(turned.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
        expect(verifyText(TEXT, turned.toString('base64'), publicKey)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })
})

describe('keys', () => {
  it('are read from Base64 DER, from DER broken into lines, and from PEM', () => {
    const der = keyText(privateKey)
    expect(der).not.toContain('BEGIN')
    const lines = `${der.replace(/.{64}/g, '$&\n')}\n`
    const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
    for (const form of [der, lines, pem]) expect(keyText(privateKeyFrom(form))).toBe(der)
    const publicPem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
    for (const form of [keyText(publicKey), publicPem]) expect(keyText(publicKeyFrom(form))).toBe(keyText(publicKey))
  })

  it('shorter than the minimum, or not RSA, are refused when they are read', () => {
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 })
    for (const pair of [short, curve, pss]) {
      expect(() => privateKeyFrom(keyText(pair.privateKey))).toThrow(`RSA of at least ${KEY_BITS_MIN} bits`)
      expect(() => publicKeyFrom(keyText(pair.publicKey))).toThrow(TypeError)
    }
  })

  it('a key of the other half is refused', () => {
    expect(() => privateKeyFrom(keyText(publicKey))).toThrow(TypeError)
    expect(() => publicKeyFrom(keyText(privateKey))).toThrow(TypeError)
  })

  it('a damaged key is refused without a word of it in the error', () => {
    const der = keyText(privateKey)
    for (const damaged of [der.slice(0, 400), `-----BEGIN PRIVATE KEY-----\n${der.slice(0, 64)}`, 'no key', '']) {
      let message = ''
      try {
        privateKeyFrom(damaged)
      } catch (error) {
        message = String(error)
      }
      expect(message).toBe('TypeError: not a private key: expected Base64 DER or PEM of an RSA key')
    }
  })
})
