import { createSecretKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rsaKeys, rsaPssKeys } from '../../../test/support/keys.ts'
import { KEY_BITS_MIN, keyText, privateKeyFrom, publicKeyFrom, SIGN_TYPE, signText, verifyText } from './sign.ts'

const { publicKey, privateKey } = rsaKeys('ours')
const stranger = rsaKeys('stranger')
const TEXT = '{"a":"订单"}'
const signature = await signText(TEXT, privateKey)

// Made once with openssl's code in Node: a pair of this size takes a second to make.
const KEY_4096 =
  'MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAwC8U5CH52WYVhtoFuSljUzRDcHevOdNoWD2N6Qq4eUiw28F+lTBKDHegpzDyPHNRiZiQSZaRRhQMf5Vn5TKB0y/HePJxv++sS2O75WL/D3B4VOHNPkFHPvcYFL8XGQacPWP6B2/29XhedpD9vfvnjs2Ut9DDHhUN5aKFjUExNEo0O7Bqs0s+WkG9sFuxZIw5hF023UUWXHlVrLsmaWBotBkgMyp3RaJzcV4pXWNDYY/LRFID2+0EjlNx+5FobL47QoHYQia/UCrk6Wif88EvDDo7aJOqzCFfKxb3GdEMoOK+UFJ+wNQTn5x72GZoCZ2UawIzE5SQGU27VpOnjPyXHc8AtYEuKPoq757bqDaMxo2eU4iwpZp/3LyyvfR8wneFMr1WYDhmUvLRCFze8/yDYoV52zQKFXplQ868zwbfVAo2XlMlKtSHqfFsO86aSDzjpYjisk/5AUPD51bbaUN6oqUzo/4iRx5A3FcwGTjx1jeb5rf+XzHQyiSVbMgjNyP7OoCevvU5HNOlP7QQf/YHuV8cPPlpObmldFFWRcfJkr/yERcjwrM48aqQnnBnkzkKdZiIozTKJKRJf28COcJAel/xTxm4DBUoejUwg8PARyOisA1NNP33fxdwURnNerTsBB8PMHmZ5kkvc32LR6kiORaFA9dI/7m/x9q6gABvcscCAwEAAQ=='
const SIGNATURE_4096 =
  'ZioAKLUs7WJkoQHxh20AVfg+yuwO1462hpsZhFrAnLsLjLlxPumPc6iyzdalcxgIqn/Iv9SHcQ+P3u+vzdf5fdk5pxV7Y6cFqLcoDL4KwxVT1siFlNW19S41ObIRPV7VVUDWtfl5hc5qZsBxoRjygR4kC5I/m0/c6rMd92Q3vV4eHaqBFa5o2Qn34JcYdT24jr7jLpd+pEeY6na7hF6wmLvl0Xx32CsqeZjhYdZ/J5m9v1rZ59zQm0NSS9rEqqOiUw3d02uoyxocmIMoaKsL9xvGRfku5fO8ZEtBLLN1fix8zNetRXxfj1ZyFRxHHCGtROJ2SFyGBQQ8z6BNdxqJzClg3j8zB4zP92N5ljNTC7qrnSlv/mw2DKCO07ABNp3O9PX73ErZTRr96qPdm650ztZQy0oQjA0YUOgiim3JxdPPDfOWXs8B68P14lXE6pA+IQ8s8uV7kM8gkgWZewhvKff/Yju/b4Cx6o7sMB0B+cXhvQbHT6EoFNZ9Lyz1M9AlYGOCd/xgcMDn8W4d9wHXZdgaoGY7ABZCKY8H3/HK5wJfYMTDU+lVQOq80YGo2IxITnNFuh/PfDCs3mzDM+XK3R+WT95/BANzCfJ3EtGsvXW1v4cLbIAANe66hPKHqYG5vnOQirWY95WhxXJ9UtmYNayuAQZ7IcGTK4kcxG20WX8='

describe('signing', () => {
  it('gives 344 characters of padded standard Base64, the same for the same text', async () => {
    expect(signature).toMatch(/^[0-9A-Za-z+/]{342}==$/)
    expect(await signText(TEXT, privateKey)).toBe(signature)
  })

  it('refuses a public key instead of pretending', async () => {
    await expect(signText(TEXT, publicKey)).rejects.toThrow()
  })

  it('fails with a key of another kind, which is found out only on the thread pool', async () => {
    await expect(signText(TEXT, generateKeyPairSync('ed25519').privateKey)).rejects.toThrow('invalid digest')
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
    ['behind four foreign letters', `AAAA${signature}`],
    ['before four foreign letters', `${signature}AAAA`],
    ['before four foreign letters, its padding taken off', `${signature.slice(0, 342)}AAAA`],
    ['behind four blanks', `    ${signature}`],
    ['before four blanks', `${signature}    `],
    ['behind four foreign characters', `!!!!${signature}`],
    ['before four foreign characters', `${signature}!!!!`],
    ['behind a line', `AAA\n${signature}`],
    ['before a line', `${signature}\nAAA`],
    ['padded with three signs', `${signature.slice(0, 341)}===`],
    ['padded as if it were longer', `${signature}====`],
    ['all zeros', Buffer.alloc(256).toString('base64')],
    ['a megabyte of letters', 'A'.repeat(1 << 20)],
  ])('answers false and does not throw for a signature that is %s', (_, broken) => {
    expect(verifyText(TEXT, broken, publicKey)).toBe(false)
  })

  it('believes a signature of 4096 bits, the longest that fits a header', () => {
    expect(verifyText(TEXT, SIGNATURE_4096, publicKeyFrom(KEY_4096))).toBe(true)
    expect(verifyText(`${TEXT} `, SIGNATURE_4096, publicKeyFrom(KEY_4096))).toBe(false)
  })

  it('answers false, and does not throw, for a key that cannot verify', () => {
    expect(verifyText(TEXT, signature, createSecretKey(Buffer.alloc(32)))).toBe(false)
  })

  it('believes one text only, although other last letters decode to the same bytes', () => {
    const [, end = '', padding = ''] = /(.)(=+)$/.exec(signature) ?? []
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const believed = [...letters].filter((letter) =>
      verifyText(TEXT, `${signature.slice(0, -1 - padding.length)}${letter}${padding}`, publicKey),
    )
    expect(believed).toEqual([end])
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

it('a signature is SHA256withRSA, with at least 2048 bits', () => {
  expect([SIGN_TYPE, KEY_BITS_MIN]).toEqual(['SHA256withRSA', 2048])
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
    const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    for (const pair of [rsaKeys('short', 1024), curve, rsaPssKeys()]) {
      expect(() => privateKeyFrom(keyText(pair.privateKey))).toThrow(`RSA of at least ${KEY_BITS_MIN} bits`)
      expect(() => publicKeyFrom(keyText(pair.publicKey))).toThrow(
        'not a public key: expected RSA of at least 2048 bits',
      )
    }
  })

  it('a key of the other half is refused', () => {
    expect(() => privateKeyFrom(keyText(publicKey))).toThrow(TypeError)
    expect(() => publicKeyFrom(keyText(privateKey))).toThrow('not a public key: expected Base64 DER or PEM')
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
    expect(() => privateKeyFrom(pem)).toThrow('not a private key: expected Base64 DER or PEM')
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
