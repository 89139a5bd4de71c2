import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { testIo } from '../../../test/support/cli.ts'
import { run } from './run.ts'
import { VERSION } from './version.ts'

describe("an operator's command", () => {
  it('is handed on to the server that is installed beside, as it is, and its exit code comes back', async () => {
    const asked: string[][] = []
    const server = () => ({
      version: '1.2.3',
      run: async (argv: string[]) => {
        asked.push(argv)
        return 7
      },
    })
    const io = testIo({ server })
    expect(await run(['rotate', 'platform', '--days', '3', '--json'], io)).toBe(7)
    expect(await run(['migrate', '--help'], io)).toBe(7)
    expect(asked).toEqual([
      ['rotate', 'platform', '--days', '3', '--json'],
      ['migrate', '--help'],
    ])
    // Merchants' commands stay here.
    expect(await run(['order', 'pay'], io)).toBe(2)
    expect(await run(['help'], io)).toBe(0)
    expect(asked).toHaveLength(2)
  })

  it('without a server says in one line how to get it', async () => {
    const io = testIo()
    expect(await run(['migrate'], io)).toBe(2)
    expect(io.printed.err).toEqual([expect.stringMatching(/^没有命令 migrate.*npm install @acopay\/server[^\n]*$/)])
  })
})

describe('acopay version', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'acopay-version-'))
  })
  afterEach(() => rmSync(dir, { recursive: true }))

  it('says three versions: its own, that of the server beside it, and that of the gateway which runs', async () => {
    const gateway = createServer((_request, response) => void response.end('{"status":"ok","version":"1.2.4"}'))
    await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
    const baseUrl = `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
    const server = () => ({ version: '1.2.3', run: async () => 0 })
    const io = testIo({ cwd: dir, server })
    expect(await run(['version', '--json', '--base-url', baseUrl], io)).toBe(0)
    expect(JSON.parse(io.printed.out[0] ?? '')).toEqual({
      acopay: VERSION,
      server: '1.2.3',
      gateway: { baseUrl, version: '1.2.4' },
    })
    await new Promise((resolve) => gateway.close(resolve))
    expect(await run(['version', '--base-url', baseUrl], io)).toBe(0)
    expect(io.printed.out[1]).toContain(`未知 unknown  ${baseUrl}`)
  })

  it('finds the address in the settings of a sandbox, below ACOPAY_HOME, here, or in the home of the user', async () => {
    const said = async (cwd: string, env: Record<string, string>): Promise<string> => {
      const io = testIo({ cwd, env })
      await run(['version', '--json'], io)
      return JSON.parse(io.printed.out[0] ?? '').gateway.baseUrl
    }
    const put = (folder: string, port: number) => {
      mkdirSync(path.join(dir, folder), { recursive: true })
      writeFileSync(path.join(dir, folder, 'demo.json'), `{"baseUrl":"http://127.0.0.1:${port}"}`)
    }
    put('gateway', 1)
    put('user/.acopay', 2)
    put('here/.acopay', 3)
    const HOME = path.join(dir, 'user')
    const here = path.join(dir, 'here')
    expect(await said(here, { HOME, ACOPAY_HOME: path.join(dir, 'gateway') })).toBe('http://127.0.0.1:1')
    expect(await said(here, { HOME })).toBe('http://127.0.0.1:3')
    expect(await said(dir, { HOME })).toBe('http://127.0.0.1:2')
    expect(await said(dir, {})).toBeNull()
  })
})
