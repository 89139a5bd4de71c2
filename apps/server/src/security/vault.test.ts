import { createDecipheriv } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { derivedKey, masterKeyOf, seal, unseal } from './vault.ts'

const KEY = Buffer.alloc(32, 1)
const PLACE = 'platform_key/first'
const SECRET = '一个秘密 secret'

describe('a sealed secret', () => {
  const sealed = seal(KEY, PLACE, SECRET)

  it('is unsealed with the same key for the same place, and does not contain its text', () => {
    expect(unseal(KEY, PLACE, sealed)).toBe(SECRET)
    expect(sealed.includes('secret')).toBe(false)
    expect(unseal(KEY, PLACE, seal(KEY, PLACE, ''))).toBe('')
  })

  it('is a nonce of 12 bytes, the text as AES-256-GCM writes it, and a tag of 16 bytes', () => {
    const decipher = createDecipheriv('aes-256-gcm', KEY, sealed.subarray(0, 12))
    decipher.setAAD(Buffer.from(PLACE)).setAuthTag(sealed.subarray(sealed.length - 16))
    const text = Buffer.concat([decipher.update(sealed.subarray(12, sealed.length - 16)), decipher.final()])
    expect(text.toString('utf8')).toBe(SECRET)
  })

  it('differs each time, so that equal secrets cannot be recognised', () => {
    expect(seal(KEY, PLACE, SECRET).equals(sealed)).toBe(false)
  })

  it('with any byte changed is refused', () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(() => unseal(KEY, PLACE, changed), `byte ${index}`).toThrow()
    }
  })

  it('truncated anywhere, or extended, is refused', () => {
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => unseal(KEY, PLACE, sealed.subarray(0, length)), `${length} bytes`).toThrow()
    }
    expect(() => unseal(KEY, PLACE, Buffer.concat([sealed, Buffer.alloc(1)]))).toThrow()
  })

  it('whose tag is shorter than sixteen bytes is refused without a look at the tag, which would be guessed sooner', () => {
    for (const length of [4, 8, 12, 13, 14, 15]) {
      const short = () => unseal(KEY, PLACE, sealed.subarray(0, length))
      expect(short, `${length} bytes`).toThrow('Invalid authentication tag length')
    }
  })

  it('under another key, or moved to another row, is refused', () => {
    expect(() => unseal(Buffer.alloc(32, 2), PLACE, sealed)).toThrow()
    expect(() => unseal(KEY, 'platform_key/second', sealed)).toThrow()
  })
})

describe('keys for a purpose', () => {
  it('are the same for the same purpose, and differ from those of other purposes and from the master key', () => {
    expect(derivedKey(KEY, 'a')).toEqual(derivedKey(KEY, 'a'))
    expect(new Set([KEY, derivedKey(KEY, 'a'), derivedKey(KEY, 'b')].map(String)).size).toBe(3)
    expect(derivedKey(KEY, 'a')).toHaveLength(32)
  })
})

describe('the master key of an installation', () => {
  let home: string
  beforeEach(() => {
    home = path.join(mkdtempSync(path.join(tmpdir(), 'acopay-vault-')), 'home')
  })
  afterEach(() => rmSync(path.dirname(home), { recursive: true, force: true }))
  const file = () => path.join(home, 'master.key')

  it('is made once, 32 random bytes, in a file and a folder that only the owner may read', () => {
    const key = masterKeyOf(home)
    expect(key).toHaveLength(32)
    expect(masterKeyOf(home)).toEqual(key)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(home).mode & 0o777).toBe(0o700)
    expect(masterKeyOf(path.join(home, 'another'))).not.toEqual(key)
  })

  it('in a file that all users could read is kept, and from now on only its owner may read it', () => {
    const key = masterKeyOf(home)
    chmodSync(file(), 0o644)
    expect(masterKeyOf(home)).toEqual(key)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('in a damaged file gives an error and is never replaced, because its sealed secrets would be lost', () => {
    masterKeyOf(home)
    for (const damaged of ['', 'short\n', Buffer.alloc(33).toString('base64')]) {
      writeFileSync(file(), damaged)
      expect(() => masterKeyOf(home)).toThrow(/master\.key is damaged/)
      expect(readFileSync(file(), 'utf8')).toBe(damaged)
    }
  })
})
