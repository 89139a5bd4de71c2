/** The SDK as somebody installs it: from its tarball, outside of this repository. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestGateway, testGateway } from '../../../test/support/gateway.ts'

const SDK = path.resolve(import.meta.dirname, '..')
const ROOT = path.resolve(SDK, '../..')

let dir: string
let installed: string
let files: string[]
let test: TestGateway | undefined

beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-sdk-'))
  await run(process.execPath, [path.join(SDK, 'build.mjs')], ROOT)
  const [packed] = JSON.parse(
    await run('npm', ['pack', path.join(SDK, 'package'), '--json', '--pack-destination', dir], dir),
  )
  files = packed.files.map((file: { path: string }) => file.path).sort()
  installed = path.join(dir, 'node_modules/@acopay/sdk')
  mkdirSync(installed, { recursive: true })
  mkdirSync(path.join(dir, 'node_modules/@types'))
  symlinkSync(path.join(ROOT, 'node_modules/@types/node'), path.join(dir, 'node_modules/@types/node'))
  await run('tar', ['xzf', path.join(dir, packed.filename), '--strip-components=1', '-C', installed], dir)
  test = await testGateway()
}, 120_000)
afterAll(async () => {
  await test?.stop()
  rmSync(dir, { recursive: true })
})

const run = async (command: string, args: string[], cwd: string): Promise<string> => {
  const env = { ...process.env, CLIENT_OPTIONS: JSON.stringify(test?.demo ?? {}) }
  return (await promisify(execFile)(command, args, { cwd, env, timeout: 60_000 })).stdout
}

async function typeCheck(name: string, program: string): Promise<void> {
  writeFileSync(path.join(dir, name), program)
  const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc')
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--module', 'nodenext', '--target', 'es2023']
  const types = ['--types', 'node', '--typeRoots', 'node_modules/@types']
  await run(process.execPath, [tsc, ...strict, ...types, name], dir)
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

describe('the packed SDK', { timeout: 60_000 }, () => {
  it('holds the bundle, the types, the readme and the licence, and nothing else', () => {
    expect(files).toEqual(
      ['LICENSE', 'README.md', 'index.cjs', 'index.d.cts', 'index.d.mts', 'index.mjs', 'package.json'].sort(),
    )
    const manifest = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8'))
    expect(Object.keys(manifest).filter((name) => /dependencies|scripts|private/i.test(name))).toEqual([])
  })

  it('contains no server code and needs nothing but Node', () => {
    const bundle = readFileSync(path.join(installed, 'index.mjs'), 'utf8')
    expect(bundle).not.toMatch(/fastify|from "pg"|@acopay|select /)
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

  it('has a readme whose program compiles', async () => {
    const program = /```ts\n([\s\S]*?)```/.exec(readFileSync(path.join(installed, 'README.md'), 'utf8'))?.[1] ?? ''
    expect(program).toContain('closeOrder')
    await typeCheck('readme.mts', program)
  })

  it.each([
    ['ESM', 'typed.mts'],
    ['CommonJS', 'typed.cts'],
  ])('has types for %s, strict ones', async (_how, name) => {
    await typeCheck(
      name,
      `import { AcoPay, type ClosedOrder, SignatureError } from '@acopay/sdk'
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
    )
  })
})
