import { createPublicKey } from 'node:crypto'
import { keyText, privateKeyFrom, publicKeyFrom, verifyText } from '@acopay/protocol'
import { addPlatformKey, type PlatformKey, platformKeys } from '@acopay/store'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { keyIdOf, loadSigningKey } from './platform-key.ts'
import { masterKeysOf, seal, unseal } from './vault.ts'

const MASTER = Buffer.alloc(32, 1)
const NOW = new Date('2026-01-31T00:00:00Z')
const after = (ms: number): Date => new Date(NOW.getTime() + ms)

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
})
afterAll(() => database.drop())
beforeEach(() => database.pool.query('delete from platform_key'))

const load = (ms = 0, master = MASTER) => loadSigningKey(database.pool, masterKeysOf(master), after(ms))
const unsealed = (stored: PlatformKey | undefined): string =>
  unseal(masterKeysOf(MASTER), `platform_key/${stored?.keyId}`, stored?.privateKeySealed ?? Buffer.alloc(0))

describe('the platform key', () => {
  it('is made on the first start and found on every later one', async () => {
    const first = await load()
    const again = await load(1000)
    expect([again.keyId, again.publicKeyText]).toEqual([first.keyId, first.publicKeyText])
    const signature = await again.sign('text')
    expect(verifyText('text', signature, publicKeyFrom(first.publicKeyText))).toBe(true)
  })

  it('is sealed in the database: no column holds the private key', async () => {
    await load()
    const [stored] = await platformKeys(database.pool, NOW)
    const text = unsealed(stored)
    expect(stored?.privateKeySealed.includes(Buffer.from(text, 'base64').subarray(40, 80))).toBe(false)
    expect(stored?.privateKeySealed.includes(text.slice(40, 80))).toBe(false)
    expect(stored?.publicKey).toBe(keyText(createPublicKey(privateKeyFrom(text))))
  })

  it('is the same for five processes that start for the first time at once', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => load()))
    expect(new Set(keys.map(({ publicKeyText }) => publicKeyText)).size).toBe(1)
  })

  it('made by a process whose clock runs ahead is found by one whose clock does not', async () => {
    const ahead = await load(5000)
    expect((await load(0)).publicKeyText).toBe(ahead.publicKeyText)
  })

  it('sealed with another master key gives an error of one line that says what to do and shows no key', async () => {
    await load()
    const error = await load(0, Buffer.alloc(32, 2)).catch((thrown: unknown) => thrown)
    expect(String(error)).toMatch(/master\.key.*ACOPAY_MASTER_KEY/)
    expect(String(error)).not.toContain('\n')
  })

  it('that becomes valid later signs from that moment on', async () => {
    const first = await load()
    const [stored] = await platformKeys(database.pool, NOW)
    const privateKeySealed = seal(masterKeysOf(MASTER), 'platform_key/next', unsealed(stored))
    await addPlatformKey(database.pool, { keyId: 'next', publicKey: 'next', privateKeySealed, validFrom: after(1000) })
    expect((await load(999)).keyId).toBe(first.keyId)
    expect((await load(1000)).keyId).toBe('next')
  })

  it('whose seal was moved to another row is refused', async () => {
    const first = await load()
    const [stored] = await platformKeys(database.pool, NOW)
    const privateKeySealed = stored?.privateKeySealed ?? Buffer.alloc(0)
    await addPlatformKey(database.pool, {
      keyId: 'moved',
      publicKey: first.publicKeyText,
      privateKeySealed,
      validFrom: NOW,
    })
    await expect(load(1)).rejects.toThrow('master.key')
  })
})

it('the id of a key is short, the same for the same key and different for another', () => {
  const [one, other] = [Buffer.from('one'), Buffer.from('other')].map((key) => keyIdOf(key.toString('base64')))
  expect(one).toMatch(/^[0-9a-f]{16}$/)
  expect(one).not.toBe(other)
})
