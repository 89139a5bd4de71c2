/** `npm run rotate`: the platform key and the master key are changed while a gateway works, and no call fails. */
import { mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type Envelope, publicKeyFrom, responseText, verifyText } from '@acopay/protocol'
import { listPlatformKeys, platformKeys, SEALED_TABLES, sealedValues } from '@acopay/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotate } from '../apps/server/src/commands/rotate.ts'
import { UsageError } from '../apps/server/src/commands/usage-error.ts'
import { headOf, masterKeysIn, masterKeysOf } from '../apps/server/src/security/vault.ts'
import { readConfig } from '../apps/server/src/start/config.ts'
import { addUser, type ConsoleClient, signedIn } from './support/console.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { type Answer, openAttempt, orderParams, type Request, readAnswer, signedRequest } from './support/merchant.ts'
import { takenTimers } from './support/taken-timers.ts'

const MINUTE = 60_000
const LANES = 4

let test: TestGateway
let home: string
let env: Record<string, string>
/** What the gateway does once a minute; the test does it in its place. */
let everyMinute: (() => unknown)[]
beforeAll(async () => {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-rotate-'))
  const taken = takenTimers('setInterval', MINUTE)
  test = await testGateway({}, home)
  taken.giveBack()
  everyMinute = taken.calls
  env = { DATABASE_URL: test.database.connectionString, ACOPAY_HOME: home }
})
afterAll(() => test.stop())

async function run(...args: string[]): Promise<string[]> {
  const said: string[] = []
  await rotate.run(args, { env, defaultHome: home, say: (line) => said.push(line) })
  return said
}

const aMinutePasses = () => Promise.all(everyMinute.map((refresh) => refresh()))
const keyFile = () => path.join(home, 'master.key')

/** Asks, and checks the answer with the public key that its header names. */
async function ask(request: Request): Promise<Answer & { keyId: string }> {
  const { url, ...init } = await signedRequest(test.demo, request)
  const response = await fetch(url, init)
  const keyId = response.headers.get('x-acopay-platform-key') ?? ''
  const key = (await listPlatformKeys(test.database.pool)).find((one) => one.keyId === keyId)
  return { ...(await readAnswer({ ...test.demo, platformPublicKey: key?.publicKey ?? '' }, response)), keyId }
}

/** Places orders, opens an attempt with an upstream for each and closes it, on several lanes, until `work` is done. */
async function underLoad(work: () => Promise<void>): Promise<{ closed: number; signedBy: Set<string> }> {
  let isOver = false
  let closed = 0
  const signedBy = new Set<string>()
  const lane = async (nth: number): Promise<void> => {
    while (!isOver) {
      const placed = await ask({ method: 'POST', path: 'trade', params: orderParams(test.demo) })
      const transaction_no = placed.data.transaction_no ?? ''
      expect(await openAttempt(test.demo, transaction_no, nth % 2 === 0 ? 'wechat' : 'alipay')).not.toBeNull()
      const close = await ask({ method: 'POST', path: 'close', params: { transaction_no } })
      expect(close).toMatchObject({ status: 200, data: { code: 'SUCCESS' } })
      signedBy.add(placed.keyId).add(close.keyId)
      closed += 1
    }
  }
  const lanes = Promise.all(Array.from({ length: LANES }, (_, nth) => lane(nth)))
  const done = work().finally(() => {
    isOver = true
  })
  await Promise.all([lanes, done])
  return { closed, signedBy }
}

const evidenceOf = (transaction_no: string) =>
  ask({ method: 'GET', path: 'close/evidence', params: { transaction_no } })

async function closedOrder(): Promise<string> {
  const { data } = await ask({ method: 'POST', path: 'trade', params: orderParams(test.demo) })
  await ask({ method: 'POST', path: 'close', params: { transaction_no: data.transaction_no ?? '' } })
  return data.transaction_no ?? ''
}

/** How many values each table has that another master key than the newest of the file has sealed. */
async function sealedWithOlder(): Promise<number> {
  const head = headOf(masterKeysIn(home))
  const values = SEALED_TABLES.map((table) => sealedValues(test.database.pool, { table, head, after: null }, 1000))
  return (await Promise.all(values)).flat().length
}

describe('a new platform key', () => {
  it('is shown to merchants before it signs, signs from its time on, and no call fails meanwhile', async () => {
    const order = await closedOrder()
    const before = await evidenceOf(order)
    const said = await run('platform')
    const [next, first] = await listPlatformKeys(test.database.pool)
    expect(first?.keyId).toBe('first')
    expect(said.join('\n')).toContain(next?.publicKey)
    const aheadDays = ((next?.validFrom.getTime() ?? 0) - Date.now()) / 86_400_000
    expect(aheadDays).toBeGreaterThan(6.9)
    expect(aheadDays).toBeLessThanOrEqual(7)

    const { closed, signedBy } = await underLoad(async () => {
      await aMinutePasses()
      expect((await evidenceOf(order)).keyId).toBe('first')
      // Its day has come.
      await test.database.pool.query('update platform_key set valid_from = now() where key_id = $1', [next?.keyId])
      await aMinutePasses()
      await evidenceOf(order)
    })
    expect(closed).toBeGreaterThan(0)
    expect(signedBy).toContain(next?.keyId)
    const after = await evidenceOf(order)
    expect([before.keyId, after.keyId]).toEqual(['first', next?.keyId])
    expect(after.data).toEqual({ ...before.data, sign: after.data.sign, nonce: after.data.nonce })
  })

  it('signed before the change still verifies with the key that merchants have', async () => {
    const { url, ...init } = await signedRequest(test.demo, { method: 'GET', path: 'bill', params: { bill_date: 'x' } })
    await test.database.pool.query(
      `update platform_key set valid_from = now() + interval '1 day' where key_id <> 'first'`,
    )
    await aMinutePasses()
    const kept = (await (await fetch(url, init)).json()) as Envelope
    await test.database.pool.query(`update platform_key set valid_from = now() where key_id <> 'first'`)
    await aMinutePasses()
    const old = (await listPlatformKeys(test.database.pool)).find(({ keyId }) => keyId === 'first')
    expect(old?.validUntil).toBeNull()
    expect(verifyText(responseText(kept), String(kept.data?.sign), publicKeyFrom(old?.publicKey ?? ''))).toBe(true)
  })

  it('replaces one that is ended; the last one cannot be ended, nor one that is unknown', async () => {
    await run('end', 'first')
    await aMinutePasses()
    const said = await run('keys')
    expect(said).toHaveLength(2)
    expect(said[0]).toMatch(/签名中 signs now$/)
    expect(said[1]).toMatch(/^first .* – \d{4}-/)
    const newest = said[0]?.split(' ')[0] ?? ''
    await expect(run('end', newest)).rejects.toThrow('--days 0')
    await expect(run('end', 'first')).rejects.toThrow('no such platform key')
    await expect(run('end', 'unknown')).rejects.toThrow('no such platform key')
    expect((await ask({ method: 'GET', path: 'bill', params: { bill_date: 'x' } })).keyId).toBe(newest)
  })

  it.each([['--days'], ['7'], ['--day', '7']])(
    'is not made with %s %s, which shows what may be asked',
    async (...args) => {
      await expect(run('platform', ...args)).rejects.toThrow('platform [--days 7]')
    },
  )

  it.each([['--days', '91'], ['--days=-1'], ['--days', '1.5']])('is not made with %s %s', async (...args) => {
    await expect(run('platform', ...args)).rejects.toThrow('0 to 90')
  })
})

describe('a new platform key, from the console,', () => {
  const keysShown = async (admin: ConsoleClient) =>
    (await admin.get('platform-keys')).body.rows as { key_id: string; valid_from: string; signs_now: boolean }[]

  it('is listed, signs after the days that were asked for, and replaces the one before', async () => {
    await addUser(test, 'keeper', 'platform_admin')
    const admin = await signedIn(test, 'keeper')
    const before = await keysShown(admin)
    const old = before.find(({ signs_now }) => signs_now)?.key_id ?? ''
    const later = (await admin.send('POST', 'platform-keys', { days: 3 })).body.key_id
    const [listed] = await keysShown(admin)
    expect([listed?.key_id, listed?.signs_now]).toEqual([later, false])
    const aheadDays = (Date.parse(listed?.valid_from ?? '') - Date.now()) / 86_400_000
    expect([aheadDays > 2.9, aheadDays <= 3]).toEqual([true, true])
    const now = (await admin.send('POST', 'platform-keys', { days: 0 })).body.key_id
    await aMinutePasses()
    // It has signed nothing, so it goes without a trace, and no day comes on which it signs.
    expect((await admin.send('DELETE', `platform-keys/${later}`)).status).toBe(200)
    expect((await keysShown(admin)).map(({ key_id }) => key_id)).not.toContain(later)
    expect((await keysShown(admin)).filter(({ signs_now }) => signs_now).map(({ key_id }) => key_id)).toEqual([now])
    expect((await ask({ method: 'GET', path: 'bill', params: { bill_date: 'x' } })).keyId).toBe(now)
    expect((await admin.send('DELETE', `platform-keys/${old}`)).status).toBe(200)
    expect((await admin.send('DELETE', `platform-keys/${old}`)).status).toBe(404)
    const last = await admin.send('DELETE', `platform-keys/${now}`)
    expect([last.status, last.body.message.zh]).toEqual([409, '没有其他密钥可以签名，请先添加新密钥（0天后签名）'])
    for (const days of [-1, 91, 1.5, 'x', null]) {
      expect((await admin.send('POST', 'platform-keys', { days })).body).toMatchObject({ field: 'days' })
    }
  })

  it('of two that are ended in one moment, when they are the last, one goes on', async () => {
    const admin = await signedIn(test, 'keeper')
    const [one, two] = [await signedIn(test, 'keeper'), admin]
    await admin.send('POST', 'platform-keys', { days: 0 })
    const valid = (await platformKeys(test.database.pool, new Date())).map(({ keyId }) => keyId)
    expect(valid).toHaveLength(2)
    const ended = await Promise.all([
      one.send('DELETE', `platform-keys/${valid[0]}`),
      two.send('DELETE', `platform-keys/${valid[1]}`),
    ])
    expect(ended.map(({ status }) => status).sort()).toEqual([200, 409])
    await aMinutePasses()
    expect((await ask({ method: 'GET', path: 'bill', params: { bill_date: 'x' } })).status).toBe(1001)
  })
})

describe('a new master key', () => {
  it('seals every secret again while the gateway works, and no call fails', async () => {
    const old = readFileSync(keyFile(), 'utf8')
    const { closed } = await underLoad(async () => {
      const said = await run('master')
      expect(said.join('\n')).toContain('channel_account: 2 重新加密 sealed again')
      await closedOrder()
      await closedOrder()
    })
    expect(closed).toBeGreaterThan(0)
    const lines = readFileSync(keyFile(), 'utf8').split('\n')
    expect(`${lines[1]}\n`).toBe(old)
    expect(lines[0]).not.toBe(lines[1])
    expect(await sealedWithOlder()).toBe(0)
  })

  it('is not forgotten before every gateway knows it; then the file has the new one only, and no call fails', async () => {
    await expect(run('forget')).rejects.toThrow('two minutes')
    const longAgo = new Date(Date.now() - 3 * MINUTE)
    utimesSync(keyFile(), longAgo, longAgo)
    await underLoad(async () => {
      await aMinutePasses()
      await run('forget')
      await aMinutePasses()
      await closedOrder()
    })
    expect(readFileSync(keyFile(), 'utf8').trim().split('\n')).toHaveLength(1)
    expect(await sealedWithOlder()).toBe(0)
  })

  it('that was broken off goes on with the key that it has made', async () => {
    const { keys } = masterKeysIn(home)
    const newest = Buffer.alloc(32, 5)
    writeFileSync(keyFile(), [newest, ...keys].map((key) => `${key.toString('base64')}\n`).join(''))
    expect(await sealedWithOlder()).toBeGreaterThan(0)
    await run('master')
    expect(masterKeysIn(home).keys).toEqual(masterKeysOf(newest, ...keys).keys)
    expect(await sealedWithOlder()).toBe(0)
  })

  it('in the environment is the first one there; one alone is refused with what to do', async () => {
    const { keys } = masterKeysIn(home)
    const text = (...some: Buffer[]) => some.map((key) => key.toString('base64')).join(',')
    env.ACOPAY_MASTER_KEY = text(keys[0])
    await expect(run('master')).rejects.toThrow('docs/keys.md')
    const next = Buffer.alloc(32, 6)
    env.ACOPAY_MASTER_KEY = text(next, keys[0])
    await run('master')
    expect((await run('forget')).join('\n')).toContain('remove the others')
    const head = headOf(masterKeysOf(next))
    const values = SEALED_TABLES.map((table) => sealedValues(test.database.pool, { table, head, after: null }, 1000))
    expect((await Promise.all(values)).flat()).toEqual([])
    expect(readConfig(env, home).masterKeys).toEqual([next, keys[0]])
  })

  it('cannot seal what no key of the file unseals, and says which row', async () => {
    env.ACOPAY_MASTER_KEY = [Buffer.alloc(32, 7), Buffer.alloc(32, 8)].map((key) => key.toString('base64')).join(',')
    await expect(run('master')).rejects.toThrow('platform_key/')
  })
})

it('says how it is used, and nothing happens', async () => {
  for (const args of [[], ['toString'], ['rotate']]) await expect(run(...args)).rejects.toThrow(UsageError)
})
