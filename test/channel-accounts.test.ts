/** A merchant's channel is made from its account, kept, and made again when what it was made from has changed. */

import { randomBytes } from 'node:crypto'
import { addMerchant, putChannelAccount } from '@acopay/store'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { metrics as newMetrics } from '../apps/server/src/metrics/metrics.ts'
import { accountsOf, newSettings } from '../apps/server/src/sandbox/upstreams.ts'
import { masterKeysOf } from '../apps/server/src/security/vault.ts'
import { channelAccounts, sealSettings } from '../apps/server/src/upstream/accounts.ts'
import { type TestDatabase, testDatabase } from './support/database.ts'
import { alipayAuthority } from './support/oracle/alipay-certificates.ts'

const KEY = { mchNo: 'MCH1', channel: 'alipay' }
const master = masterKeysOf(randomBytes(32))
const now = new Date('2026-03-01T04:00:00Z')

let database: TestDatabase
beforeAll(async () => {
  database = await testDatabase()
  await addMerchant(database.pool, { mchNo: KEY.mchNo, name: 'one' }, now)
  const settingsSealed = sealSettings(master, KEY, accountsOf(newSettings()).alipay)
  await putChannelAccount(database.pool, { ...KEY, settingsSealed }, now)
})
afterAll(() => database.drop())

const metrics = newMetrics({ version: '0', mode: 'sandbox' })

it('a channel made before the stand-ins listened is made again once they do, and then kept', async () => {
  let sandboxUrl = ''
  const called: string[] = []
  const fetched = async (url: string | URL | Request): Promise<Response> => {
    called.push(String(url))
    throw new Error('the stand-in is not there')
  }
  const door = { fetch: fetched as typeof fetch, now: () => now, newNonce: () => 'n' }
  const channelOf = channelAccounts({ pool: database.pool, master, metrics, door, sandboxUrl: () => sandboxUrl })
  const query = async () =>
    (await channelOf(KEY.mchNo, KEY.channel))?.query({ attemptNo: 'AT1' }, AbortSignal.timeout(9_000))
  await query()
  sandboxUrl = 'http://127.0.0.1:9'
  const channel = await channelOf(KEY.mchNo, KEY.channel)
  await query()
  expect(called.at(-1)).toMatch(/^http:\/\/127\.0\.0\.1:9\/alipay\/gateway\.do/)
  expect(await channelOf(KEY.mchNo, KEY.channel)).toBe(channel)
})

it('a channel that is not installed, or that the merchant has no account with, is none', async () => {
  const door = { fetch, now: () => now, newNonce: () => 'n' }
  const channelOf = channelAccounts({ pool: database.pool, master, metrics, door, sandboxUrl: () => '' })
  expect(await channelOf(KEY.mchNo, 'wechat')).toBeNull()
  expect(await channelOf(KEY.mchNo, 'toString')).toBeNull()
})

it('a certificate that ends within 30 days raises an alarm, once a day while the account is used', async () => {
  const key = { mchNo: 'MCH2', channel: 'alipay' }
  const authority = alipayAuthority()
  const settings = {
    ...{ gateway: 'http://127.0.0.1:9/gateway.do', appId: '1', sellerId: '2', appPrivateKey: authority.app.privatePem },
    ...{ alipayRootCert: authority.rootFile, alipayCert: authority.alipayFile },
    appCert: authority.issueApp('51', { until: '2026-04-10T00:00:00Z' }).file,
  }
  await addMerchant(database.pool, { mchNo: key.mchNo, name: 'two' }, now)
  await putChannelAccount(database.pool, { ...key, settingsSealed: sealSettings(master, key, settings) }, now)
  let at = new Date('2026-03-10T00:00:00Z')
  const said: object[] = []
  const log = { error: (what: object) => void said.push(what), warn: () => {} }
  const door = { fetch, now: () => at, newNonce: () => 'n' }
  const channelOf = channelAccounts({ pool: database.pool, master, metrics, door, sandboxUrl: () => '', log })
  const days: number[] = []
  for (const time of ['10T00:00:00Z', '11T00:00:00Z', '12T00:00:01Z', '12T00:00:02Z', '13T00:00:00Z', '13T00:00:01Z']) {
    at = new Date(`2026-03-${time}`)
    await channelOf(key.mchNo, key.channel)
    days.push(said.length)
  }
  // It ends 30 days after the 11th; a day later it is said again.
  expect(days).toEqual([0, 0, 1, 1, 1, 2])
  expect(said[0]).toEqual({ ...key, setting: 'appCert', until: new Date('2026-04-10T00:00:00Z'), alarm: true })
  expect(JSON.stringify(said)).not.toContain('BEGIN')
})
