import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findChannelAccount } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import { putAccount, USAGE } from './put-channel-account.ts'

let test: TestGateway
let dir: string
beforeAll(async () => {
  test = await testGateway()
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-account-'))
})
afterAll(async () => {
  await test.stop()
  rmSync(dir, { recursive: true })
})

const alipay = () => ({
  ...{ gateway: 'https://a.example/gateway.do', appId: '1', sellerId: '2' },
  ...{ appPrivateKey: test.demo.mchPrivateKey, alipayPublicKey: test.demo.platformPublicKey },
})

function put(settings: object | string, mchNo = 'MCH1000000', channel = 'alipay') {
  const file = path.join(dir, 'settings.json')
  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))
  return putAccount({ DATABASE_URL: test.database.connectionString, ACOPAY_HOME: dir }, '', [mchNo, channel, file])
}

it('stores the credentials sealed, and changes them', async () => {
  const key = () => findChannelAccount(test.database.pool, 'MCH1000000', 'alipay')
  const before = await key()
  expect(await put(alipay())).toContain('MCH1000000 alipay')
  const sealed = (await key()) as Buffer
  expect(sealed.equals(before as Buffer)).toBe(false)
  expect(sealed.toString('latin1')).not.toContain(test.demo.mchPrivateKey.slice(0, 40))
})

it.each<[string, () => Promise<string>]>([
  ['MCH0', () => put(alipay(), 'MCH0')],
  ['sellerId', () => put({ ...alipay(), sellerId: '' })],
  ['settings.json', () => put('{')],
  ['密钥', () => put({ ...alipay(), appPrivateKey: 'AAAA' })],
  [USAGE, () => put(alipay(), 'MCH1000000', 'paypal')],
])('refuses, and names %s', async (names, ask) => {
  const error = await ask().catch((thrown: Error) => thrown.message)
  expect(error).toContain(names)
  expect(error).not.toContain(test.demo.mchPrivateKey.slice(0, 40))
})
