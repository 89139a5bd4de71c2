/**
 * A gateway as production starts it: by the same functions, from an environment that holds only what a production start must
 * say. Only its clock and its log are the test's. Every other setting is its default.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { keyText } from '@acopay/protocol'
import { addApp, addMerchant, addMerchantKey, platformKeys, putChannelAccount } from '@acopay/store'
import type { DemoSettings } from '../../apps/server/src/sandbox/demo-merchant.ts'
import { masterKeysOf } from '../../apps/server/src/security/vault.ts'
import { type Config, readConfig } from '../../apps/server/src/start/config.ts'
import { type Gateway, startGateway } from '../../apps/server/src/start/gateway.ts'
import { sealSettings } from '../../apps/server/src/upstream/accounts.ts'
import { type TestDatabase, testDatabase } from './database.ts'
import { type ManualClock, manualClock } from './manual-clock.ts'

export type Production = {
  config: Config
  gateway: Gateway
  /** The merchant with its keys, as clients call the gateway. */
  demo: DemoSettings
  database: TestDatabase
  clock: ManualClock
  /** Every line logged so far. */
  logged: () => Record<string, unknown>[]
  /** Another process on the same database, with one setting more; the test stops it. */
  startAnother: (env: Record<string, string>) => Promise<Gateway>
  /** Gives the merchant an account with WeChat Pay at this address. */
  addAccount: (baseUrl: string) => Promise<void>
  stop: () => Promise<void>
}

const MERCHANT = { mchNo: 'MCH2000001', appNo: 'APP2000001' }

export async function productionGateway(start: Date): Promise<Production> {
  const database = await testDatabase()
  const home = mkdtempSync(path.join(tmpdir(), 'acopay-home-'))
  const masterKey = randomBytes(32)
  const env = {
    ACOPAY_MODE: 'production',
    ACOPAY_HOME: home,
    ACOPAY_MASTER_KEY: masterKey.toString('base64'),
    ACOPAY_PUBLIC_URL: 'https://pay.example.com',
    DATABASE_URL: database.connectionString,
    // The one departure: 8080 may be taken on this machine.
    PORT: '0',
  }
  const clock = manualClock(start)
  const lines: string[] = []
  const output = { write: (line: string) => void lines.push(line) }
  const config = readConfig(env, '')
  const gateway = await startGateway(config, { ...clock, output })
  return {
    ...{ config, gateway, database, clock },
    demo: await withMerchant(database, gateway.url, clock.now()),
    logged: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    startAnother: async (more) => {
      const another = await startGateway(readConfig({ ...env, ...more }, ''), { ...clock, output })
      return { ...another, stop: () => whileTimePasses(clock, another.stop()) }
    },
    async addAccount(baseUrl) {
      const account = { mchNo: MERCHANT.mchNo, channel: 'wechat' }
      const settingsSealed = sealSettings(masterKeysOf(masterKey), account, wechatSettings(baseUrl))
      await putChannelAccount(database.pool, { ...account, settingsSealed }, clock.now())
    },
    async stop() {
      await whileTimePasses(clock, gateway.stop())
      await database.drop()
      rmSync(home, { recursive: true })
    },
  }
}

/** A gateway that stops waits for its calls to upstreams, which end by the test's clock. */
async function whileTimePasses(clock: ManualClock, stopped: Promise<void>): Promise<void> {
  let hasEnded = false
  const end = (): void => {
    hasEnded = true
  }
  void stopped.then(end, end)
  while (!hasEnded) {
    clock.advance(1000)
    await pause(5)
  }
  await stopped
}

/** What docs/operating.md says in SQL: a merchant, its app and its key. */
async function withMerchant({ pool }: TestDatabase, baseUrl: string, now: Date): Promise<DemoSettings> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { mchNo } = MERCHANT
  await addMerchant(pool, { mchNo, name: '某某商店' }, now)
  await addApp(pool, { ...MERCHANT, name: '收银' }, now)
  const key = { mchNo, keyId: 'k1', publicKey: keyText(publicKey), validFrom: now, validUntil: null }
  await addMerchantKey(pool, key)
  const [platform] = await platformKeys(pool, now)
  return { ...MERCHANT, baseUrl, mchPrivateKey: keyText(privateKey), platformPublicKey: platform?.publicKey ?? '' }
}

function wechatSettings(baseUrl: string): object {
  const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    ...{ baseUrl, appId: 'wx0000000000000001', mchId: '1900000001', serialNo: 'A'.repeat(40) },
    mchPrivateKey: keyText(pair().privateKey),
    apiV3Key: randomBytes(16).toString('hex'),
    platformKeys: [{ id: 'PUB_KEY_ID_0119000000012026010100', publicKey: keyText(pair().publicKey) }],
  }
}
