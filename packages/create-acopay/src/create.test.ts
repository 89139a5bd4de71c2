/** What `npm create acopay` makes. That it installs and runs is tested in test/recipes.test.ts. */
import '../../../test/support/slow.ts'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseEnv } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createShop, DEFAULTS, findDemo, Refusal } from './create.mjs'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'create-acopay-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const asked = (name: string, more: object = {}) => {
  return { ...DEFAULTS, config: null, sdk: null, folder: path.join(dir, name), ...more }
}
const settingsOf = (folder: string) => parseEnv(readFileSync(path.join(folder, '.env'), 'utf8'))

describe('a new shop', () => {
  it('has the recipe, a name, its settings, and a list of what git leaves out', () => {
    const sdk = path.join(dir, 'sdk.tgz')
    writeFileSync(sdk, '')
    const shop = asked('My-Shop', { sdk, config: sdk })
    createShop(shop)
    expect(readdirSync(shop.folder)).toEqual(
      expect.arrayContaining(['server.ts', 'shop.ts', 'page.html', '.gitignore']),
    )
    const manifest = JSON.parse(readFileSync(path.join(shop.folder, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ name: 'my-shop', dependencies: { '@acopay/sdk': `file:${sdk}` } })
    expect(readFileSync(path.join(shop.folder, '.gitignore'), 'utf8')).toContain('.env\n')
    expect(settingsOf(shop.folder)).toEqual({
      SHOP_THING: DEFAULTS.thing,
      SHOP_PRICE: '12.50',
      PORT: '3000',
      ACOPAY_CONFIG: sdk,
    })
  })

  it.each(["一壶 'Tea' #1", 'a "quoted" `one`', '$HOME \\n = x'])('sells %s, whatever is in the name', (thing) => {
    const shop = asked(`thing-${thing.length}`, { thing })
    createShop(shop)
    expect(settingsOf(shop.folder).SHOP_THING).toBe(thing)
  })

  it('goes into an empty folder, and leaves one alone that is not', () => {
    const shop = asked('there')
    mkdirSync(shop.folder)
    createShop(shop)
    const before = readdirSync(shop.folder)
    expect(() => createShop(shop)).toThrow(/不是空的，没有改动 is not empty/)
    expect(readdirSync(shop.folder)).toEqual(before)
  })

  it.each([
    ['price', '12.5', '--price'],
    ['price', '0.00', '--price'],
    ['price', '1000000.00', '--price'],
    ['thing', '', '--thing'],
    ['thing', 'a\nb', '--thing'],
    ['thing', '\'"`', '--thing'],
    ['port', '0', '--port'],
    ['port', '65536', '--port'],
    ['config', '/no/such/file', '--config'],
    ['sdk', '/no/such/file', '--sdk'],
  ])('with a %s of %j is not made, and the flag is named', (name, value, flag) => {
    const shop = asked('wrong', { [name]: value })
    expect(() => createShop(shop)).toThrow(new RegExp(flag))
    expect(() => createShop(shop)).toThrow(Refusal)
    expect(existsSync(shop.folder)).toBe(false)
  })

  it("finds the sandbox's settings in a folder above", () => {
    const below = path.join(dir, 'gateway', 'a', 'b')
    mkdirSync(below, { recursive: true })
    mkdirSync(path.join(dir, 'gateway', '.acopay'))
    const demo = path.join(dir, 'gateway', '.acopay', 'demo.json')
    expect(findDemo(below)).not.toBe(demo)
    writeFileSync(demo, '{}')
    expect(findDemo(below)).toBe(demo)
  })
})

describe('the command', () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [path.join(import.meta.dirname, 'main.mjs'), ...args], { cwd: dir, encoding: 'utf8' })

  it('asks nothing where there is no terminal, and says what comes next', () => {
    const { status, stdout, stderr } = run('by-command', '--price', '3.00')
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toContain('已生成 created: by-command\n\n  cd by-command\n  npm install\n  npm start\n')
    expect(settingsOf(path.join(dir, 'by-command')).SHOP_PRICE).toBe('3.00')
  })

  it.each([
    [['x', '--color', 'red'], "Unknown option '--color'"],
    [['x', '--price', '1'], '--price 应为'],
  ])('%j ends with 1 and one sentence, no stack', (args, says) => {
    const { status, stderr } = run(...args)
    expect([status, stderr]).toEqual([1, expect.stringContaining(says)])
    expect(stderr).not.toMatch(/^ +at /m)
    expect(existsSync(path.join(dir, 'x'))).toBe(false)
  })
})
