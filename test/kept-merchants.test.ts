/** Merchants are read once for many calls (docs/keys.md): what a change to one is worth, and when it holds. */
import { generateKeyPairSync } from 'node:crypto'
import { keyText } from '@acopay/protocol'
import { addMerchantKey, endMerchantKey, setMerchantEnabled } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { KEPT_MS } from '../apps/server/src/http/merchant/known-merchants.ts'
import type { DemoSettings } from '../apps/server/src/sandbox/demo-merchant.ts'
import { addUser, signedIn } from './support/console.ts'
import { place, query } from './support/merchant.ts'
import { type TestWorld, testWorld } from './support/world.ts'

let test: TestWorld
let order: string
beforeAll(async () => {
  test = await testWorld()
  order = await place(test.demo)
})
afterAll(() => test.stop())

const now = (): Date => test.world.now()
const mchNo = (): string => test.demo.mchNo
const ask = async (by: DemoSettings = test.demo): Promise<string> => (await query(by, order)).message

/** Another key of the merchant, valid from now on. */
async function addKey(keyId: string): Promise<DemoSettings> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { mchNo: mchNo(), keyId, publicKey: keyText(publicKey), validFrom: now(), validUntil: null }
  await addMerchantKey(test.database.pool, key)
  return { ...test.demo, mchPrivateKey: keyText(privateKey) }
}

it('a key that was withdrawn works at 999 ms, and not at 1000 ms', async () => {
  const other = await addKey('withdrawn')
  expect(await ask(other)).toBe('SUCCESS')
  await endMerchantKey(test.database.pool, {
    mchNo: mchNo(),
    keyId: 'withdrawn',
    validUntil: new Date(now().getTime() + 1),
  })
  test.advance(KEPT_MS - 1)
  expect(await ask(other)).toBe('SUCCESS')
  test.advance(1)
  expect(await ask(other)).toBe('SIGN_ERROR')
  expect(await ask()).toBe('SUCCESS')
})

it('a new key works at once, although the merchant has just called with another one', async () => {
  expect(await ask()).toBe('SUCCESS')
  expect(await ask(await addKey('new'))).toBe('SUCCESS')
})

it('a merchant that was disabled is refused a second later, and one that was enabled is served at once', async () => {
  expect(await ask()).toBe('SUCCESS')
  await setMerchantEnabled(test.database.pool, mchNo(), false)
  test.advance(KEPT_MS - 1)
  expect(await ask()).toBe('SUCCESS')
  test.advance(1)
  expect(await ask()).toBe('MCH_DISABLED')
  await setMerchantEnabled(test.database.pool, mchNo(), true)
  expect(await ask()).toBe('SUCCESS')
})

it('a list of addresses that was made shorter holds a second later, and one that was made longer at once', async () => {
  const setList = (list: string[]) =>
    test.database.pool.query('update merchant set allowed_ips = $2 where mch_no = $1', [mchNo(), list])
  expect(await ask()).toBe('SUCCESS')
  await setList(['192.0.2.1'])
  expect(await ask()).toBe('SUCCESS')
  test.advance(KEPT_MS)
  expect(await ask()).toBe('IP_FORBIDDEN')
  await setList([])
  expect(await ask()).toBe('SUCCESS')
})

it('what the console changes holds at once in its own process: a key that is ended there, a merchant that is disabled', async () => {
  await addUser(test, 'an-admin', 'platform_admin')
  const admin = await signedIn(test, 'an-admin')
  const other = await addKey('ended')
  expect(await ask(other)).toBe('SUCCESS')
  // A key is valid for a millisecond at least.
  test.advance(1)
  expect((await admin.send('DELETE', `merchants/${mchNo()}/keys/ended`)).status).toBe(200)
  expect(await ask(other)).toBe('SIGN_ERROR')
  expect(await ask()).toBe('SUCCESS')
  expect((await admin.send('PUT', `merchants/${mchNo()}`, { enabled: false })).status).toBe(200)
  expect(await ask()).toBe('MCH_DISABLED')
  expect((await admin.send('PUT', `merchants/${mchNo()}`, { enabled: true })).status).toBe(200)
  expect(await ask()).toBe('SUCCESS')
})
