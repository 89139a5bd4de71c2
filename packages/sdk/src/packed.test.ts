/** Tests the SDK as a merchant installs it: from its tarball, outside of this repository. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testDatabase } from '../../../test/support/database.ts'
import { type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import { newKeyPair, signedTestNotification } from './index.ts'

const SDK = path.resolve(import.meta.dirname, '..')
const ROOT = path.resolve(SDK, '../..')
const ESM = { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 } }

/** The other packages that the readme's programs use. */
const OTHERS = ['express', 'pg', '@types/express', '@types/node', '@types/pg']

let dir: string
let installed: string
let files: string[]
let test: TestGateway | undefined

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-sdk-'))
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [tsc, '-b', 'packages/protocol', 'packages/sdk'], ROOT)
  await run(process.execPath, [path.join(SDK, 'build.mjs')], ROOT)
  const [packed] = JSON.parse(
    await run('npm', ['pack', path.join(SDK, 'package'), '--json', '--pack-destination', dir], dir),
  )
  files = packed.files.map((file: { path: string }) => file.path).sort()
  installed = path.join(dir, 'node_modules/@acopay/sdk')
  mkdirSync(installed, { recursive: true })
  mkdirSync(path.join(dir, 'node_modules/@types'))
  for (const name of OTHERS) symlinkSync(path.join(ROOT, 'node_modules', name), path.join(dir, 'node_modules', name))
  await run('tar', ['xzf', path.join(dir, packed.filename), '--strip-components=1', '-C', installed], dir)
  test = await testGateway()
})
afterAll(async () => {
  await test?.stop()
  rmSync(dir, { recursive: true })
})

const run = async (command: string, args: string[], cwd: string): Promise<string> => {
  const env = { ...process.env, CLIENT_OPTIONS: JSON.stringify(test?.demo ?? {}) }
  return (await promisify(execFile)(command, args, { cwd, env, timeout: 240_000 })).stdout
}

/** Programs by their file names. */
async function typeCheck(programs: Record<string, string>): Promise<void> {
  for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(dir, name), program)
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023']
  const types = ['--types', 'node', '--typeRoots', 'node_modules/@types']
  await run(process.execPath, [tsc, ...strict, ...types, ...Object.keys(programs)], dir)
}

/** The readme's programs; blocks that belong together are one program. */
function readmePrograms(): { orders: string; notifications: string; tests: string } {
  const readme = readFileSync(path.join(installed, 'README.md'), 'utf8')
  const [orders = '', express = '', store = '', tests = ''] = Array.from(
    readme.matchAll(/```ts\n([\s\S]*?)```/g),
    ([, program]) => program ?? '',
  )
  return { orders, notifications: express + store, tests }
}

const SESSION = `
const client = new AcoPay(JSON.parse(process.env.CLIENT_OPTIONS))
const placed = await client.placeOrder({ mchTradeNo: newTradeNo(), description: '测试', amountTotal: '0.01' })
const { transactionNo } = placed
const closed = await client.closeOrder({ transactionNo })
const { state } = await client.queryOrder({ transactionNo })
const missing = await client.queryOrder({ transactionNo: 'AP0' }).catch((error) => error)
console.log([closed.outcome, state, missing instanceof ApiError, missing.status].join(' '))
`

describe('the packed SDK', () => {
  it('holds the bundle, the types, the readme and the licence, and nothing else', () => {
    expect(files).toEqual(
      ['LICENSE', 'README.md', 'index.cjs', 'index.d.cts', 'index.d.mts', 'index.mjs', 'package.json'].sort(),
    )
    const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'))
    expect(Object.keys(manifest).filter((name) => /dependencies|scripts|private/i.test(name))).toEqual([])
  })

  it('contains no server code and needs nothing but Node', () => {
    const bundle = readFileSync(path.join(installed, 'index.mjs'), 'utf8')
    expect(bundle).not.toMatch(/from "fastify"|from "pg"|@acopay|select /)
    for (const [, target] of bundle.matchAll(/from "([^"]+)"/g)) expect(target).toMatch(/^node:/)
  })

  it.each([
    ['import', 'session.mjs', `import { AcoPay, ApiError, newTradeNo } from '@acopay/sdk'\n${SESSION}`],
    [
      'require',
      'session.cjs',
      `const { AcoPay, ApiError, newTradeNo } = require('@acopay/sdk')\n;(async () => {${SESSION}})()`,
    ],
  ])('places and closes an order after %s', async (_how, name, text) => {
    writeFileSync(path.join(dir, name), text)
    expect(await run(process.execPath, [name], dir)).toBe('closed CLOSED true 1007\n')
  })

  it('has a readme whose programs compile', async () => {
    const { orders, notifications, tests } = readmePrograms()
    const programs = [orders, notifications, tests]
    expect(programs.map((program) => /closeOrder|Store|Test/.exec(program)?.[0])).toEqual([
      'closeOrder',
      'Store',
      'Test',
    ])
    await typeCheck({ 'readme.mts': orders, 'notifications.mts': notifications, 'tests.mts': tests })
  })

  it('has a readme whose Express server hears a payment once of twenty at once, and again what failed', async () => {
    const database = await testDatabase()
    const { privateKey, publicKey } = await newKeyPair()
    await database.pool.query(`create schema shop
      create table acopay_event (event_id text primary key, heard_at timestamptz not null default now())
      create table orders (number text, amount text, state text, times int default 0)`)
    const program = readmePrograms()
      .notifications.replace("set state = 'paid'", "set state = 'paid', times = times + 1")
      .replace('app.listen(3000)', 'const server = app.listen(0, () => console.log(Object(server.address()).port))')
    writeFileSync(path.join(dir, 'server.mjs'), transpileModule(program, ESM).outputText)
    const shop = new URL(database.connectionString)
    shop.searchParams.set('options', '-csearch_path=shop')
    const env = { ...process.env, DATABASE_URL: shop.href, MCH_NO: 'M', PLATFORM_PUBLIC_KEY: publicKey }
    const server = spawn(process.execPath, ['server.mjs'], { cwd: dir, env, stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      const [port] = await once(server.stdout, 'data')
      const tell = async (): Promise<number> => {
        const event = { kind: 'payment', mchTradeNo: 'o1' } as const
        const body = await signedTestNotification(event, { mchNo: 'M', privateKey })
        return (await fetch(`http://127.0.0.1:${Number(port)}/acopay/notify`, { method: 'POST', body })).status
      }
      expect(await tell()).toBe(500)
      await database.pool.query("insert into shop.orders values ('o1', '12.50', 'new')")
      expect(new Set(await Promise.all(Array.from({ length: 20 }, tell)))).toEqual(new Set([200]))
      expect((await database.pool.query('select state, times from shop.orders')).rows).toEqual([
        { state: 'paid', times: 1 },
      ])
    } finally {
      server.kill()
      await once(server, 'exit')
      await database.drop()
    }
  })

  it.each([
    ['import', 'hear.mjs', "import * as sdk from '@acopay/sdk'"],
    ['require', 'hear.cjs', "const sdk = require('@acopay/sdk')"],
  ])('hears a notification after %s', async (_how, name, load) => {
    writeFileSync(
      path.join(dir, name),
      `${load}
;(async () => {
  const { privateKey, publicKey } = await sdk.newKeyPair()
  const callbacks = { onPayment: ({ amountTotal }) => console.log(amountTotal), onPaymentReturned() {}, onRefund() {} }
  const settings = { mchNo: 'M', platformPublicKey: publicKey, store: sdk.memoryStore(), onError: console.error }
  const hear = sdk.notificationHandler({ ...settings, ...callbacks })
  const body = await sdk.signedTestNotification({ kind: 'payment' }, { mchNo: 'M', privateKey })
  console.log((await hear(body)).status, (await hear(body.replace('12.50', '1.00'))).status)
  console.log(sdk.verifyNotification(body, settings).kind, typeof sdk.eventIdOf)
  console.log(typeof sdk.nodeHandler, typeof sdk.fastifyPlugin, typeof sdk.honoHandler)
})()`,
    )
    const printed = '12.50\n200 401\npayment function\nfunction function function\n'
    expect(await run(process.execPath, [name], dir)).toBe(printed)
  })

  it.each([
    ['ESM', 'typed.mts'],
    ['CommonJS', 'typed.cts'],
  ])('has types for %s, strict ones', async (_how, name) => {
    await typeCheck({
      [name]: `import { AcoPay, type ClosedOrder, SignatureError } from '@acopay/sdk'
export async function close(client: AcoPay): Promise<'closed' | 'expired' | 'paid' | 'closing'> {
  const closed: ClosedOrder = await client.closeOrder({ transactionNo: 'AP1' })
  // @ts-expect-error an amount is a text
  await client.placeOrder({ mchTradeNo: 'x', description: 'x', amountTotal: 12.5 })
  // @ts-expect-error an order must be named
  await client.queryOrder({})
  const thrown: Error = new SignatureError('x')
  void thrown
  return closed.outcome
}
`,
    })
  })
})
