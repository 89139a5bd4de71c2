/**
 * Platform keys that are not in the database (docs/keys.md): in a file, and with a program that signs; of these our own for PKCS#11,
 * with SoftHSM from Debian where it is installed.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { keyText } from '@acopay/protocol'
import { listPlatformKeys, sealedPlatformKeys } from '@acopay/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rotate } from '../apps/server/src/commands/rotate.ts'
import { platformKeyPlace } from '../apps/server/src/security/platform-key.ts'
import { masterKeysIn, unseal } from '../apps/server/src/security/vault.ts'
import { type TestGateway, testGateway } from './support/gateway.ts'
import { rsaKeys } from './support/keys.ts'
import { close, orderParams, readAnswer, signedRequest } from './support/merchant.ts'
import { testSigner } from './support/signer.ts'
import { takenTimers } from './support/taken-timers.ts'

const MINUTE = 60_000
const SOFTHSM = '/usr/lib/softhsm/libsofthsm2.so'
const PKCS11 = path.resolve(import.meta.dirname, '../signers/pkcs11.py')
const hasHsm = existsSync(SOFTHSM) && existsSync('/usr/lib/python3/dist-packages/PyKCS11')
if (!hasHsm) console.log('跳过SoftHSM SKIPPED SoftHSM: apt-get install softhsm2 python3-pykcs11')

let test: TestGateway
let home: string
let env: Record<string, string>
let everyMinute: (() => unknown)[]
let set: string[] = []
/** What an operator has beside the gateway. */
let beside: string
beforeEach(() => {
  beside = mkdtempSync(path.join(tmpdir(), 'acopay-beside-'))
})
afterEach(async () => {
  await test.stop()
  rmSync(beside, { recursive: true })
  for (const name of set) delete process.env[name]
  set = []
})

async function start(settings: Record<string, string>): Promise<void> {
  home = mkdtempSync(path.join(tmpdir(), 'acopay-signer-home-'))
  const taken = takenTimers('setInterval', MINUTE)
  test = await testGateway(settings, home)
  taken.giveBack()
  everyMinute = taken.calls
  env = { DATABASE_URL: test.database.connectionString, ACOPAY_HOME: home, ...settings }
}

const aMinutePasses = () => Promise.all(everyMinute.map((refresh) => refresh()))

async function run(...args: string[]): Promise<string> {
  const said: string[] = []
  await rotate.run(args, { env, defaultHome: home, say: (line) => said.push(line) })
  return said.join('\n')
}

/** Places an order and closes it; each answer is verified with the newest platform key. Returns which keys signed. */
async function orderLives(): Promise<(string | null)[]> {
  const [newest] = await listPlatformKeys(test.database.pool)
  const demo = { ...test.demo, platformPublicKey: newest?.publicKey ?? '' }
  const { url, ...init } = await signedRequest(demo, { method: 'POST', path: 'trade', params: orderParams(demo) })
  const response = await fetch(url, init)
  const placed = await readAnswer(demo, response)
  expect(await close(demo, placed.data.transaction_no ?? '')).toMatchObject({ data: { code: 'SUCCESS' } })
  return [response.headers.get('x-acopay-platform-key')]
}

const sealedTexts = async (): Promise<string[]> =>
  (await sealedPlatformKeys(test.database.pool)).map(({ keyId, privateKeySealed }) =>
    unseal(masterKeysIn(home), platformKeyPlace(keyId), privateKeySealed),
  )

async function readyz(): Promise<[number, string]> {
  const response = await fetch(`${test.demo.baseUrl}/readyz`)
  const { status } = (await response.json()) as { status: string }
  return [response.status, status]
}

/** What an operator sets up for SoftHSM: a token, and in it a key with a label. */
function softHsm(label: string): Record<string, string> {
  const dir = beside
  mkdirSync(path.join(dir, 'tokens'))
  writeFileSync(
    path.join(dir, 'softhsm2.conf'),
    `directories.tokendir = ${path.join(dir, 'tokens')}\nlog.level = ERROR\n`,
  )
  writeFileSync(path.join(dir, 'pin'), '2468\n', { mode: 0o600 })
  writeFileSync(path.join(dir, 'key.pem'), rsaKeys('hsm').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const settings = {
    SOFTHSM2_CONF: path.join(dir, 'softhsm2.conf'),
    PKCS11_MODULE: SOFTHSM,
    PKCS11_TOKEN: 'acopay',
    PKCS11_PIN_FILE: path.join(dir, 'pin'),
  }
  const softhsm = (...args: string[]) => execFileSync('softhsm2-util', args, { env: { ...process.env, ...settings } })
  softhsm('--init-token', '--free', '--label', 'acopay', '--pin', '2468', '--so-pin', '1357')
  softhsm('--import', path.join(dir, 'key.pem'), '--token', 'acopay', '--label', label, '--id', 'A1', '--pin', '2468')
  return settings
}

describe('a key with a signer program', () => {
  it.runIf(hasHsm)('may lie in an HSM: it signs every answer, and the database holds its name only', async () => {
    const settings = softHsm('platform-2026')
    // The program reads them from the gateway's environment.
    Object.assign(process.env, settings)
    set = Object.keys(settings)
    await start({ ACOPAY_SIGNER: PKCS11 })
    await expect(run('platform', '--days', '0', '--key', 'signer:absent')).rejects.toThrow(
      '0 keys with the label absent',
    )
    const said = await run('platform', '--days', '0', '--key', 'signer:platform-2026')
    expect(said).toContain(keyText(rsaKeys('hsm').publicKey))
    await aMinutePasses()
    const [newest] = await listPlatformKeys(test.database.pool)
    const lives = await Promise.all(Array.from({ length: 20 }, orderLives))
    expect(new Set(lives.flat())).toEqual(new Set([newest?.keyId]))
    const [name] = (await sealedTexts()).filter((text) => text.startsWith('{'))
    expect(JSON.parse(name ?? '')).toEqual({ place: 'signer:platform-2026', publicKey: newest?.publicKey })
    await run('end', 'first')
    await aMinutePasses()
    expect(await orderLives()).toEqual([newest?.keyId])
  })

  it('signs again after it was killed; while it does not answer, calls hear 1500 and /readyz says so', async () => {
    const { file, dir } = testSigner(beside)
    await start({ ACOPAY_SIGNER: file, LOG_LEVEL: 'silent' })
    await run('platform', '--days', '0', '--key', 'signer:k')
    await aMinutePasses()
    const [newest] = await listPlatformKeys(test.database.pool)
    expect(await orderLives()).toEqual([newest?.keyId])
    const pids = () => readFileSync(path.join(dir, 'starts'), 'utf8').trim().split('\n').map(Number)
    // The command has started the first one, and ended it.
    const [, pid = 0] = pids()
    chmodSync(file, 0o600)
    process.kill(pid, 'SIGKILL')
    await expect.poll(readyz).toEqual([503, 'nothing can be signed'])
    const { url, ...init } = await signedRequest(test.demo, { method: 'GET', path: 'bill', params: { bill_date: 'x' } })
    expect(await (await fetch(url, init)).json()).toMatchObject({ status: 1500, data: null })
    chmodSync(file, 0o700)
    await expect.poll(orderLives).toEqual([newest?.keyId])
    expect(pids()).toHaveLength(3)
    await expect.poll(readyz).toEqual([200, 'ok'])
  })
})

it('a key in a file signs as long as the file is there at the start, and another file is refused', async () => {
  const file = path.join(beside, 'platform.pem')
  writeFileSync(file, rsaKeys('in a file').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  await start({ LOG_LEVEL: 'silent' })
  await run('platform', '--days', '0', '--key', `file:${file}`)
  await aMinutePasses()
  const [newest] = await listPlatformKeys(test.database.pool)
  expect(newest?.publicKey).toBe(keyText(rsaKeys('in a file').publicKey))
  await expect(run('platform', '--key', `file:${file}`)).rejects.toThrow('this key is there already')
  expect(await orderLives()).toEqual([newest?.keyId])
  // Another key in its place: gateways go on with the one that they have.
  writeFileSync(file, rsaKeys('another').privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await aMinutePasses()
  expect(await orderLives()).toEqual([newest?.keyId])
  await expect(run('platform', '--key', 'file:relative.pem')).rejects.toThrow('--key 应为')
})
