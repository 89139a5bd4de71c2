/** Tests the SDK as a merchant installs it: from its tarball, outside of this repository. */
import '../../../test/support/only-long.ts'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { gzipSync } from 'node:zlib'
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { objections } from '../../../scripts/release.mjs'
import { testDatabase } from '../../../test/support/database.ts'
import { openAttempt, pay, type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import { esbuild, install, manifestIn, type Packed, pack, ROOT, run } from '../../../test/support/packed.ts'
import { fetched, RUNTIMES } from '../../../test/support/runtimes.ts'
import { isLong } from '../../../test/support/size.ts'
import { newKeyPair, signedTestNotification } from './index.ts'

const ESM = { compilerOptions: { module: ModuleKind.ESNext, target: ScriptTarget.ES2023 } }

/** The other packages that the readme's programs use. */
const OTHERS = ['express', 'pg', '@types/express', '@types/node', '@types/pg']

let dir: string
let installed: string
let packed: Packed
let test: TestGateway | undefined

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-sdk-'))
  packed = await pack('packages/sdk', dir)
  await install(packed, dir, OTHERS)
  installed = path.join(dir, 'node_modules/@acopay/sdk')
  test = await testGateway()
})
afterAll(async () => {
  await test?.stop()
  rmSync(dir, { recursive: true })
})

const node = (name: string): Promise<string> =>
  run(process.execPath, [name], dir, { CLIENT_OPTIONS: JSON.stringify(test?.demo) })

/** Programs by their file names. */
async function typeCheck(programs: Record<string, string>): Promise<void> {
  for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(dir, name), program)
  const tsc = path.join(ROOT, 'node_modules/typescript-native/bin/tsc')
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023']
  const types = ['--types', 'node', '--typeRoots', 'node_modules/@types']
  await run(process.execPath, [tsc, ...strict, ...types, ...Object.keys(programs)], dir)
}

const readme = (name = 'README.md'): string => readFileSync(path.join(installed, name), 'utf8')
const blocks = (text: string, tag: string): string[] =>
  Array.from(text.matchAll(new RegExp(`\`\`\`${tag}\\n([\\s\\S]*?)\`\`\``, 'g')), ([, program]) => program ?? '')

/** The readme's programs; blocks that belong together are one program. */
function readmePrograms(): Record<'orders' | 'lists' | 'logs' | 'notifications' | 'tests', string> {
  const [orders = '', lists = '', logs = '', express = '', store = '', tests = ''] = blocks(readme(), 'ts')
  return { orders, lists, logs, notifications: express + store, tests }
}

/** A port on which nothing listens; the program of the readme names its own. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
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
  it('holds the bundle, the types, the readmes and the licence, and nothing else; it needs no other package', () => {
    const built = ['dist/index.cjs', 'dist/index.d.cts', 'dist/index.d.ts', 'dist/index.js']
    expect(packed.files).toEqual(['LICENSE', 'README.md', 'README.zh-CN.md', ...built, 'package.json'].sort())
    const manifest = manifestIn(dir, '@acopay/sdk')
    expect(Object.keys(manifest).filter((name) => /^(dependencies|peer|optional|private|bundle)/i.test(name))).toEqual(
      [],
    )
    const scripts = Object.keys(manifest.scripts as object)
    expect(scripts).toEqual(['prepack'])
  })

  it('keeps to its size: 18 KB minified and compressed, and a tarball of 92 KB', async () => {
    const code = await esbuild([path.join(installed, 'dist/index.js'), '--minify', '--format=esm'], dir)
    expect(gzipSync(code, { level: 9 }).length).toBeLessThan(18 * 1024)
    expect(packed.bytes).toBeLessThan(92 * 1024)
  })

  it('has a version that it tells the gateway, and types for each way to load it', () => {
    const { version } = manifestIn(dir, '@acopay/sdk')
    expect(readFileSync(path.join(installed, 'dist/index.js'), 'utf8')).toContain(`"ts-${version}"`)
  })

  it('contains no server code and needs nothing but Node', () => {
    const bundle = readFileSync(path.join(installed, 'dist/index.js'), 'utf8')
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
    expect(await node(name)).toBe('closed CLOSED true 1007\n')
  })

  it('has readmes in two languages with the same programs, which compile', async () => {
    for (const tag of ['ts', 'js', 'sh']) expect(blocks(readme('README.zh-CN.md'), tag)).toEqual(blocks(readme(), tag))
    const programs = readmePrograms()
    expect(Object.values(programs).map((text) => /closeOrder|listOrders|onAnswer|Store|Test/.exec(text)?.[0])).toEqual([
      'closeOrder',
      'listOrders',
      'onAnswer',
      'Store',
      'Test',
    ])
    await typeCheck(Object.fromEntries(Object.entries(programs).map(([name, text]) => [`${name}.mts`, text])))
  })

  it('has a readme whose thirty lines place, are paid in the sandbox, are notified and close, in an empty folder', async () => {
    const [program = '', ...others] = blocks(readme(), 'js')
    expect(others).toEqual([])
    expect(program.trim().split('\n').length).toBeLessThanOrEqual(30)
    const port = await freePort()
    writeFileSync(path.join(dir, 'shop.mjs'), program.replaceAll('3000', String(port)))
    writeFileSync(path.join(dir, 'demo.json'), JSON.stringify(test?.demo))
    const shop = spawn(process.execPath, ['shop.mjs'], { cwd: dir, stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    for await (const line of createInterface(shop.stdout)) {
      lines.push(line)
      const transactionNo = /^pay here: .*\/(AP\d{36})\//.exec(line)?.[1]
      if (transactionNo !== undefined && test !== undefined) {
        await pay(test.demo, transactionNo, (await openAttempt(test.demo, transactionNo)) ?? '')
      }
    }
    expect(lines).toEqual([
      'closing an order that nobody pays says: closed',
      expect.stringContaining('/cashier/'),
      'notified: 12.50 yuan are paid',
      'closing it now says: paid',
    ])
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
    expect(await node(name)).toBe(printed)
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

describe('a release', () => {
  it('packs every package, and in a dry run sends nothing', async () => {
    const release = path.join(ROOT, 'scripts/release.mjs')
    // No registry answers there: what would be sent anywhere fails.
    const env = { npm_config_registry: 'http://127.0.0.1:1' }
    const said = await run(process.execPath, [release, '--dry-run'], ROOT, env)
    for (const name of ['@acopay/sdk', '@acopay/cli', '@acopay/server', 'create-acopay']) {
      const file = name.replace('@', '').replace('/', '-')
      expect(said).toMatch(new RegExp(`^${name}@\\d+\\.\\d+\\.\\d+  \\d+ bytes`, 'm'))
      expect(said).toMatch(new RegExp(`not sent: npm publish ${file}-[\\d.]+\\.tgz --provenance --access public$`, 'm'))
    }
  })

  it('is not made by hand, of a wrong tag, of versions that differ, or of what needs a package that is not published', async () => {
    const sdk = { name: '@acopay/sdk', version: '1.2.3' }
    const cli = { name: '@acopay/cli', version: '1.2.3', dependencies: { citty: '1.0.0' } }
    expect(objections([sdk, cli], 'v1.2.3')).toEqual([])
    expect(objections([sdk, cli], null)).toEqual([])
    expect(objections([sdk, { ...cli, version: '1.2.4' }], 'v1.2.3')).toEqual([
      '@acopay/cli is 1.2.4, and @acopay/sdk is 1.2.3',
      'the tag is v1.2.3, and @acopay/cli is 1.2.4',
    ])
    expect(
      objections(
        [
          { ...sdk, private: true },
          { ...cli, dependencies: { '@acopay/sdk': '1.2.3' } },
        ],
        null,
      ),
    ).toEqual(['@acopay/sdk is private', '@acopay/cli depends on @acopay/sdk, which is not published'])
    const env = { GITHUB_REF_NAME: 'v0.0.0' }
    const byHand = run(process.execPath, [path.join(ROOT, 'scripts/release.mjs')], ROOT, env)
    await expect(byHand).rejects.toThrow('the tag is v0.0.0')
  })
})

/** What every runtime must do: sign, verify, call, list, be refused, give up. */
const EVERYWHERE = `import * as sdk from '@acopay/sdk'
const OPTIONS = __OPTIONS__
export async function session() {
  const pay = new sdk.AcoPay(OPTIONS)
  const { transactionNo } = await pay.placeOrder({ mchTradeNo: sdk.newTradeNo(), description: '测试', amountTotal: '0.01' })
  const { outcome } = await pay.closeOrder({ transactionNo }, { signal: new AbortController().signal })
  const said = [outcome]
  for await (const order of pay.listOrders({ state: 'CLOSED' })) {
    said.push(order.transactionNo === transactionNo ? 'listed' : order.transactionNo)
    break
  }
  said.push(await pay.queryOrder({ transactionNo: 'AP0' }).catch((error) => error.status))
  const { privateKey, publicKey } = await sdk.newKeyPair()
  const body = await sdk.signedTestNotification({ kind: 'payment' }, { mchNo: 'M', privateKey })
  const callbacks = { onPayment() {}, onPaymentReturned() {}, onRefund() {}, onError() {} }
  const hear = sdk.notificationHandler({ mchNo: 'M', platformPublicKey: publicKey, ...callbacks })
  said.push((await hear(body)).status, (await hear(body.replace('12.50', '1.00'))).status)
  const stop = new AbortController()
  const silent = new sdk.AcoPay({ ...OPTIONS, fetch: (_url, { signal }) => { stop.abort(); return fetch(OPTIONS.baseUrl, { signal }) } })
  said.push(await silent.queryOrder({ transactionNo }, { signal: stop.signal }).catch((error) => error.message.split(';')[0]))
  return said.join(' ')
}
`

describe.runIf(isLong)('the packed SDK elsewhere', () => {
  it.each(RUNTIMES)(
    'does all its work in $name',
    async (runtime) => {
      const home = await fetched(runtime)
      if (home === null) return console.log(`SKIPPED: npm does not bring ${runtime.from} to this machine`)
      const options = JSON.stringify({ ...test?.demo, tries: 1 })
      writeFileSync(path.join(dir, 'session.mjs'), EVERYWHERE.replace('__OPTIONS__', options))
      const printed = await runtime.session(dir, home)
      expect(printed).toBe('closed listed 1007 200 401 the call was aborted\n')
    },
    600_000,
  )

  it('has a reference that is made of its sources without a warning', async () => {
    const typedoc = path.join(ROOT, 'node_modules/typedoc/bin/typedoc')
    await run(
      process.execPath,
      [typedoc, '--options', 'packages/sdk/typedoc.json', '--out', path.join(dir, 'docs')],
      ROOT,
    )
    expect(readFileSync(path.join(dir, 'docs/classes/index.AcoPay.html'), 'utf8')).toContain('listOrders')
  }, 600_000)
})
