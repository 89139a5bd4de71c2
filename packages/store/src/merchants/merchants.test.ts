import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../../test/support/database.ts'
import { after, MCH, NOW, seedAttempt, seedMerchant, seedOrder } from '../../../../test/support/orders.ts'
import { isAccountUsed } from './channel-accounts.ts'
import { endKeyNow, listMerchants } from './merchant-admin.ts'
import {
  addApp,
  addMerchant,
  addMerchantKey,
  endMerchantKey,
  findMerchant,
  ownApp,
  setMerchantEnabled,
} from './merchants.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await seedMerchant(database.pool)
  await seedMerchant(database.pool, 'MCH2')
})
afterAll(() => database.drop())

const keysAt = async (ms: number, mchNo = MCH) => (await findMerchant(database.pool, mchNo, after(ms)))?.publicKeys
const addKey = (keyId: string, fromMs: number, untilMs: number | null, publicKey = keyId) =>
  addMerchantKey(database.pool, {
    mchNo: MCH,
    keyId,
    publicKey,
    validFrom: after(fromMs),
    validUntil: untilMs === null ? null : after(untilMs),
  })

it('merchants are listed by their numbers, as many as were asked for', async () => {
  const listed = async (after: string, limit: number, mchNo: string | null = null): Promise<string[]> =>
    (await listMerchants(database.pool, { mchNo, after, search: null }, NOW, limit)).map((one) => one.mchNo)
  expect(await listed('', 1)).toEqual([MCH])
  expect(await listed(MCH, 1)).toEqual(['MCH2'])
  expect(await listed('', 9, 'MCH2')).toEqual(['MCH2'])
})

it('an account is used once an attempt was opened through it, by its own merchant', async () => {
  const { attempt } = await seedAttempt(database.pool, await seedOrder(database.pool))
  const isUsed = (mchNo: string, channel: string) => isAccountUsed(database.pool, mchNo, channel)
  expect(await isUsed(MCH, attempt.channel)).toBe(true)
  expect([await isUsed('MCH2', attempt.channel), await isUsed(MCH, 'another')]).toEqual([false, false])
})

it("the sandbox's test orders are of the merchant's oldest app in use; of two that are as old, of the first by number", async () => {
  const { pool } = database
  await addMerchant(pool, { mchNo: 'APPS', name: 'apps' }, NOW)
  const add = (appNo: string, ms: number) => addApp(pool, { mchNo: 'APPS', appNo, name: appNo }, after(ms))
  await add('NEW', 9)
  expect(await ownApp(pool, 'APPS')).toBe('NEW')
  await add('B', 5)
  await add('A', 5)
  expect(await ownApp(pool, 'APPS')).toBe('A')
  await pool.query(`update app set enabled = false where mch_no = 'APPS' and app_no = 'A'`)
  expect(await ownApp(pool, 'APPS')).toBe('B')
  expect(await ownApp(pool, 'APPS0')).toBeNull()
})

describe('ending a key at once', () => {
  const end = (keyId: string, ms: number, mchNo = 'KEYS') => endKeyNow(database.pool, { mchNo, keyId }, after(ms))
  const add = (keyId: string, fromMs: number, untilMs: number | null) =>
    addMerchantKey(database.pool, {
      mchNo: 'KEYS',
      keyId,
      publicKey: keyId,
      validFrom: after(fromMs),
      validUntil: untilMs === null ? null : after(untilMs),
    })

  it('is refused for the only valid one of an enabled merchant: others that have ended or not begun do not count', async () => {
    await addMerchant(database.pool, { mchNo: 'KEYS', name: 'keys' }, NOW)
    await add('only', 0, null)
    await add('ended', 0, 10)
    await add('later', 20, null)
    expect(await end('only', 10)).toBe('last')
    expect(await end('ended', 10)).toBe('absent')
    expect(await end('only', 9)).toBe('ended')
    expect(await end('only', 9)).toBe('absent')
    expect(await end('none', 9)).toBe('absent')
    expect(await end('later', 9, MCH)).toBe('absent')
  })

  it('is done where another one without an end is valid, and for any where the merchant is disabled', async () => {
    await add('one', 0, null)
    await add('other', 0, null)
    expect(await end('one', 15)).toBe('ended')
    expect(await end('other', 15)).toBe('last')
    await setMerchantEnabled(database.pool, 'KEYS', false)
    expect(await end('other', 15)).toBe('ended')
  })
})

describe('a merchant', () => {
  it('that does not exist is null', async () => {
    expect(await findMerchant(database.pool, 'MCH-NONE', NOW)).toBeNull()
  })

  it('is enabled, open to every address and without a limit of its own when it is new', async () => {
    expect(await findMerchant(database.pool, 'MCH2', NOW)).toEqual({
      mchNo: 'MCH2',
      name: 'MCH2',
      isEnabled: true,
      allowedIps: [],
      ratePerSecond: null,
      publicKeys: [],
    })
  })

  it('added again stays as it is', async () => {
    await addMerchant(database.pool, { mchNo: 'MCH2', name: 'renamed' }, after(5))
    expect(await findMerchant(database.pool, 'MCH2', NOW)).toMatchObject({ name: 'MCH2' })
  })

  it('disabled and enabled again is so from the next reading on, and the other one is not', async () => {
    await setMerchantEnabled(database.pool, 'MCH2', false)
    expect(await findMerchant(database.pool, 'MCH2', NOW)).toMatchObject({ isEnabled: false })
    expect(await findMerchant(database.pool, MCH, NOW)).toMatchObject({ isEnabled: true })
    await setMerchantEnabled(database.pool, 'MCH2', true)
    expect(await findMerchant(database.pool, 'MCH2', NOW)).toMatchObject({ isEnabled: true })
  })

  it('has the addresses and the limit that the database holds', async () => {
    await database.pool.query(
      `update merchant set allowed_ips = '{10.0.0.0/8,::1}', rate_per_second = 7 where mch_no = 'MCH2'`,
    )
    const merchant = await findMerchant(database.pool, 'MCH2', NOW)
    expect(merchant).toMatchObject({ allowedIps: ['10.0.0.0/8', '::1'], ratePerSecond: 7 })
  })

  it.each(['', 'a b', 'a/b', 'x'.repeat(33), '商户'])('cannot have the number %j', async (mchNo) => {
    await expect(addMerchant(database.pool, { mchNo, name: 'x' }, NOW)).rejects.toMatchObject({ code: '23514' })
  })
})

describe('rotating keys', () => {
  it('two are valid where their times overlap, newest first; each from its first moment to before its last', async () => {
    await addKey('old', 0, 2000)
    await addKey('new', 1000, null)
    expect(await keysAt(-1)).toEqual([])
    expect(await keysAt(0)).toEqual(['old'])
    expect(await keysAt(999)).toEqual(['old'])
    expect(await keysAt(1000)).toEqual(['new', 'old'])
    expect(await keysAt(1999)).toEqual(['new', 'old'])
    expect(await keysAt(2000)).toEqual(['new'])
    expect(await keysAt(2000, 'MCH2')).toEqual([])
  })

  it('one that is ended is not valid from that moment on', async () => {
    await addKey('leaked', 0, null)
    await endMerchantKey(database.pool, { mchNo: 'MCH2', keyId: 'leaked', validUntil: after(1) })
    expect(await keysAt(500)).toContain('leaked')
    await endMerchantKey(database.pool, { mchNo: MCH, keyId: 'leaked', validUntil: after(500) })
    expect(await keysAt(499)).toContain('leaked')
    expect(await keysAt(500)).not.toContain('leaked')
  })

  it('one added again under its name keeps its text', async () => {
    await addKey('old', 0, null, 'another text')
    expect(await keysAt(5000)).not.toContain('another text')
  })

  it('one that would end before it begins is refused', async () => {
    await expect(addKey('backwards', 10, 10)).rejects.toMatchObject({ code: '23514' })
  })
})
