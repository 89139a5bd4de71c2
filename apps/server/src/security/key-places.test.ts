/** Platform keys that are not in the database: given by a setting, in a file, with a program that signs. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { keyText, publicKeyFrom, verifyText } from '@acopay/protocol'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rsaKeys } from '../../../../test/support/keys.ts'
import { testSigner } from '../../../../test/support/signer.ts'
import {
  type KeyHolders,
  type KeyPlace,
  NO_HOLDERS,
  openSealed,
  outsideText,
  publicHalf,
  readPlace,
  tryPlace,
} from './key-places.ts'
import { signerProgram } from './signer-program.ts'

const [ours, other] = [rsaKeys('ours').privateKey, rsaKeys('other').privateKey]
const publicText = (key: KeyObject): string => keyText(createPublicKey(key))

let dir: string
let holders: KeyHolders & { signer: NonNullable<KeyHolders['signer']> }
beforeEach(() => {
  const program = testSigner()
  dir = program.dir
  holders = { platformKeys: [other, ours], signer: signerProgram(program.file) }
  writeFileSync(path.join(dir, 'ours'), `${keyText(ours)}\n`)
  writeFileSync(path.join(dir, 'no-key'), 'sesame')
})
afterEach(() => {
  holders.signer.stop()
  rmSync(dir, { recursive: true })
})

/** Made when the test runs, because the folder is. */
const PLACES: Record<string, () => KeyPlace> = {
  'a setting': () => 'env',
  'a file': () => `file:${path.join(dir, 'key.pem')}`,
  'a signer program': () => 'signer:k',
}

describe.each(Object.keys(PLACES))('a key in %s', (name) => {
  it('is tried, and signs what its public half verifies', async () => {
    const place = PLACES[name]?.() ?? 'env'
    const publicKeyText = await tryPlace(place, holders)
    const sealed = outsideText(place, publicKeyText)
    const opened = openSealed(sealed, holders)
    expect(opened.publicKeyText).toBe(publicKeyText)
    expect(verifyText('text', await opened.sign('text'), publicKeyFrom(publicKeyText))).toBe(true)
    expect(keyText(publicHalf(sealed))).toBe(publicKeyText)
  })
})

it('of the keys of a setting the first is taken, and the one that was taken is found again', async () => {
  expect(await tryPlace('env', holders)).toBe(publicText(other))
  const signature = await openSealed(outsideText('env', publicText(ours)), holders).sign('text')
  expect(verifyText('text', signature, createPublicKey(ours))).toBe(true)
})

it('a key that is sealed itself is opened as ever', async () => {
  const opened = openSealed(keyText(ours), NO_HOLDERS)
  expect(opened.publicKeyText).toBe(publicText(ours))
  expect(verifyText('text', await opened.sign('text'), createPublicKey(ours))).toBe(true)
  expect(keyText(publicHalf(keyText(ours)))).toBe(publicText(ours))
})

describe('an error of one line, without any key, where', () => {
  const opened = (place: KeyPlace) => () => openSealed(outsideText(place, publicText(ours)), holders)

  it('the file is not there, is no key, or has another key', () => {
    expect(opened('file:/absent/key')).toThrow(/\/absent\/key.*ENOENT/)
    expect(opened(`file:${path.join(dir, 'no-key')}`)).toThrow(/no-key.*not a private key/)
    expect(opened(`file:${path.join(dir, 'no-key')}`)).not.toThrow('sesame')
    expect(opened(`file:${path.join(dir, 'key.pem')}`)).toThrow('中没有这把平台密钥')
    expect(opened(`file:${path.join(dir, 'ours')}`)).not.toThrow()
  })

  it('the setting has no such key', async () => {
    expect(() => openSealed(outsideText('env', publicText(ours)), NO_HOLDERS)).toThrow('ACOPAY_PLATFORM_KEYS')
    await expect(tryPlace('env', NO_HOLDERS)).rejects.toThrow('ACOPAY_PLATFORM_KEYS')
  })

  it('there is no signer program', async () => {
    await expect(tryPlace('signer:k', NO_HOLDERS)).rejects.toThrow('ACOPAY_SIGNER')
    expect(() => openSealed(outsideText('signer:k', publicText(ours)), NO_HOLDERS)).toThrow('ACOPAY_SIGNER')
  })

  it("the signer program's signature is not that of the key", async () => {
    await expect(openSealed(outsideText('signer:k', publicText(ours)), holders).sign('text')).rejects.toThrow(
      'signer:k 的签名无法验证',
    )
    await expect(tryPlace('signer:odd', holders)).rejects.toThrow('signer:odd 的签名无法验证')
  })

  it.each(['', 'env:x', 'file:', 'file:key.pem', 'signer:', 'signer', 'vault:x'])('a place is "%s"', (text) => {
    expect(() => readPlace(text)).toThrow('--key 应为')
  })
})

it.each(['env', 'file:/run/secrets/key', 'signer:pkcs11:token=a;object=b'])('%s is a place', (text) => {
  expect(readPlace(text)).toBe(text)
})
