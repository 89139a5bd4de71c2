/** Tests the command line as `npx @acopay/cli` gets it: from its tarball, outside of this repository. */
import '../../../test/support/only-long.ts'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestGateway, testGateway } from '../../../test/support/gateway.ts'
import { install, manifestIn, type Packed, pack, run } from '../../../test/support/packed.ts'

let dir: string
let packed: Packed
let gateway: TestGateway | undefined
beforeAll(async () => {
  dir = mkdtempSync(path.join(tmpdir(), 'acopay-cli-'))
  packed = await pack('apps/cli', dir)
  await install(packed, dir)
  gateway = await testGateway()
})
afterAll(async () => {
  await gateway?.stop()
  rmSync(dir, { recursive: true })
})

it('the packed command line holds one program, the readmes and the licence, and no package of this repository', () => {
  expect(packed.files).toEqual(['LICENSE', 'README.md', 'README.zh-CN.md', 'dist/main.js', 'package.json'])
  const { dependencies = {} } = manifestIn(dir, '@acopay/cli')
  expect(Object.keys(dependencies as object).filter((name) => name.startsWith('@acopay/'))).toEqual([])
  const program = readFileSync(path.join(dir, 'node_modules/@acopay/cli/dist/main.js'), 'utf8')
  expect(program).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(program).not.toMatch(/(?:from|import) ?\(?["']@acopay\//)
  expect(packed.bytes).toBeLessThan(96 * 1024)
})

it('the packed command line is `acopay` of the project that installs it, and places and closes an order', async () => {
  expect(readdirSync(path.join(dir, 'node_modules/.bin'))).toContain('acopay')
  writeFileSync(path.join(dir, 'demo.json'), JSON.stringify(gateway?.demo))
  const acopay = async (...args: string[]): Promise<Record<string, string>> => {
    const npx = ['--no', '--offline', '--', 'acopay', ...args, '--json', '--config', 'demo.json']
    return JSON.parse(await run('npx', npx, dir))
  }
  const { transactionNo = '' } = await acopay('order', 'place', '--amount', '1.00', '--description', '测试')
  expect(await acopay('order', 'close', '--transaction-no', transactionNo)).toMatchObject({ outcome: 'closed' })
})
