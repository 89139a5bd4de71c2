import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { derivedKey, headOf, masterKeysIn, masterKeysOf, seal, unseal, writeMasterKeys } from './vault.ts'

const KEY = Buffer.alloc(32, 1)
const MASTER = masterKeysOf(KEY)
const PLACE = 'platform_key/first'
const SECRET = '一个秘密 secret'

/** What AES-256-GCM without our code reads: nonce, text, tag. */
function textOf(bytes: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', KEY, bytes.subarray(0, 12))
  decipher.setAAD(Buffer.from(PLACE)).setAuthTag(bytes.subarray(bytes.length - 16))
  return Buffer.concat([decipher.update(bytes.subarray(12, bytes.length - 16)), decipher.final()]).toString('utf8')
}

/** As secrets were sealed before they named their key. */
function unnamed(key: Buffer): Buffer {
  const nonce = Buffer.alloc(12, 9)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(PLACE))
  return Buffer.concat([nonce, cipher.update(SECRET, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

describe('a sealed secret', () => {
  const sealed = seal(MASTER, PLACE, SECRET)

  it('is unsealed with the same key for the same place, and does not contain its text', () => {
    expect(unseal(MASTER, PLACE, sealed)).toBe(SECRET)
    expect(sealed.includes('secret')).toBe(false)
    expect(unseal(MASTER, PLACE, seal(MASTER, PLACE, ''))).toBe('')
  })

  it("is a version, its key's id of 4 bytes, a nonce of 12, the text as AES-256-GCM writes it, and a tag of 16", () => {
    const id = createHmac('sha256', KEY).update('key id').digest().subarray(0, 4)
    expect(sealed.subarray(0, 5)).toEqual(Buffer.concat([Buffer.from([1]), id]))
    expect(textOf(sealed.subarray(5))).toBe(SECRET)
  })

  it('differs each time, so that equal secrets cannot be recognised', () => {
    expect(seal(MASTER, PLACE, SECRET).equals(sealed)).toBe(false)
  })

  it('with any byte changed is refused', () => {
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed)
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index)
      expect(() => unseal(MASTER, PLACE, changed), `byte ${index}`).toThrow()
    }
  })

  it('truncated anywhere, or extended, is refused', () => {
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => unseal(MASTER, PLACE, sealed.subarray(0, length)), `${length} bytes`).toThrow()
    }
    expect(() => unseal(MASTER, PLACE, Buffer.concat([sealed, Buffer.alloc(1)]))).toThrow()
  })

  it('whose tag is shorter than sixteen bytes is refused without a look at the tag, which would be guessed sooner', () => {
    for (const length of [4, 8, 12, 13, 14, 15]) {
      const short = () => unseal(MASTER, PLACE, sealed.subarray(0, 5 + length))
      expect(short, `${length} bytes`).toThrow('Invalid authentication tag length')
    }
  })

  it('under another key, or moved to another row, is refused', () => {
    expect(() => unseal(masterKeysOf(Buffer.alloc(32, 2)), PLACE, sealed)).toThrow()
    expect(() => unseal(MASTER, 'platform_key/second', sealed)).toThrow()
  })
})

describe('while the master key is being changed', () => {
  const OLD = Buffer.alloc(32, 2)
  const both = masterKeysOf(KEY, OLD)

  it('what either key has sealed is unsealed, and the first one seals', () => {
    expect(unseal(both, PLACE, seal(MASTER, PLACE, SECRET))).toBe(SECRET)
    expect(unseal(both, PLACE, seal(masterKeysOf(OLD), PLACE, SECRET))).toBe(SECRET)
    const sealed = seal(both, PLACE, SECRET)
    expect(unseal(MASTER, PLACE, sealed)).toBe(SECRET)
    expect(() => unseal(masterKeysOf(OLD), PLACE, sealed)).toThrow()
  })

  it('what was sealed before sealed values named their keys is unsealed by each of the keys', () => {
    expect([KEY, OLD].map((key) => unseal(both, PLACE, unnamed(key)))).toEqual([SECRET, SECRET])
    expect(() => unseal(MASTER, PLACE, unnamed(OLD))).toThrow()
  })

  it('only what the first key sealed, and names it, counts as sealed with the newest', () => {
    const values = [seal(both, PLACE, SECRET), seal(masterKeysOf(OLD), PLACE, SECRET), unnamed(KEY)]
    const head = headOf(both)
    expect(values.map((sealed) => sealed.subarray(0, head.length).equals(head))).toEqual([true, false, false])
  })

  it('a process that does not know the new key yet reads its file again when it meets it', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'acopay-vault-'))
    const running = masterKeysIn(home)
    const [old] = running.keys
    writeMasterKeys(home, [KEY, old])
    expect(unseal(running, PLACE, seal(MASTER, PLACE, SECRET))).toBe(SECRET)
    expect(running.keys).toEqual([KEY, old])
    expect(statSync(path.join(home, 'master.key')).mode & 0o777).toBe(0o600)
    rmSync(home, { recursive: true })
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
    const key = masterKeysIn(home).keys[0]
    expect(key).toHaveLength(32)
    expect(masterKeysIn(home).keys[0]).toEqual(key)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    expect(statSync(home).mode & 0o777).toBe(0o700)
    expect(masterKeysIn(path.join(home, 'another')).keys[0]).not.toEqual(key)
  })

  it('in a file that all users could read is kept, and from now on only its owner may read it', () => {
    const key = masterKeysIn(home).keys[0]
    chmodSync(file(), 0o644)
    expect(masterKeysIn(home).keys[0]).toEqual(key)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
  })

  it('in a damaged file gives an error and is never replaced, because its sealed secrets would be lost', () => {
    masterKeysIn(home).keys[0]
    for (const damaged of ['', 'short\n', `${KEY.toString('base64')}\nshort\n`, Buffer.alloc(33).toString('base64')]) {
      writeFileSync(file(), damaged)
      expect(() => masterKeysIn(home).keys[0]).toThrow(/master\.key is damaged/)
      expect(readFileSync(file(), 'utf8')).toBe(damaged)
    }
  })
})
