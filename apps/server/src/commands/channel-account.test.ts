import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findChannelAccount } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { place, type TestGateway, testGateway } from '../../../../test/support/gateway.ts'
import { channelAccount } from './channel-account.ts'

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
  gateway: 'https://a.example/gateway.do',
  appId: '1',
  sellerId: '2',
  appPrivateKey: test.demo.mchPrivateKey,
  alipayPublicKey: test.demo.platformPublicKey,
})

async function put(settings: object | string, mchNo = 'MCH1000000', channel = 'alipay', home?: string) {
  const file = path.join(dir, 'settings.json')
  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))
  const ACOPAY_HOME = home ?? path.dirname(test.gateway.sandbox?.demoFile ?? '')
  const env = { DATABASE_URL: test.database.connectionString, ACOPAY_HOME }
  const said: string[] = []
  await channelAccount.run([mchNo, channel, file], { env, defaultHome: '', say: (line) => said.push(line) })
  return said.join('\n')
}

it('reads a file that begins with a byte order mark', async () => {
  expect(await put(`\ufeff${JSON.stringify(alipay())}`)).toContain('MCH1000000 alipay')
})

it('stores the credentials sealed, and changes them', async () => {
  const key = () => findChannelAccount(test.database.pool, 'MCH1000000', 'alipay')
  const before = await key()
  expect(await put(alipay())).toContain('MCH1000000 alipay')
  const sealed = (await key()) as Buffer
  expect(sealed.equals(before as Buffer)).toBe(false)
  expect(sealed.toString('latin1')).not.toContain(test.demo.mchPrivateKey.slice(0, 40))
})

it('refuses to turn an account with attempts into another one, which could not answer for open codes and refunds', async () => {
  await put(alipay())
  const other = { ...alipay(), appId: '3' }
  expect(await put(other)).toContain('alipay')
  const url = `${test.demo.baseUrl}/sandbox/${test.demo.mchNo}/orders/${await place(test.demo)}/attempts`
  expect((await fetch(`${url}?channel=alipay&method=page`, { method: 'POST' })).status).toBe(200)
  await expect(put(alipay())).rejects.toThrow('appId')
  // The same account with other keys is the same account.
  const keys = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const appPrivateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' })
  expect(await put({ ...other, appPrivateKey })).toContain('alipay')
})

it.each<[string, () => Promise<string>]>([
  ['ACOPAY_MASTER_KEY', () => put(alipay(), 'MCH1000000', 'alipay', dir)],
  ['MCH0', () => put(alipay(), 'MCH0')],
  ['sellerId', () => put({ ...alipay(), sellerId: '' })],
  ['settings.json', () => put('{')],
  ['密钥', () => put({ ...alipay(), appPrivateKey: 'AAAA' })],
  ['MCH_NO wechat|alipay SETTINGS.json', () => put(alipay(), 'MCH1000000', 'paypal')],
])('refuses, and names %s', async (names, ask) => {
  const error = await ask().catch((thrown: Error) => thrown.message)
  expect(error).toContain(names)
  expect(error).not.toContain(test.demo.mchPrivateKey.slice(0, 40))
})
