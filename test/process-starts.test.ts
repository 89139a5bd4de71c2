/** How a gateway process starts, what it says when it cannot, and how it ends. */
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { close, place } from './support/gateway.ts'
import './support/only-long.ts'
import { startedOnce } from './support/database.ts'
import { ownGateways } from './support/own-gateways.ts'
import { spawnGateway, startProcess } from './support/process.ts'

const own = ownGateways()

describe('a gateway process', () => {
  const exitOf = async (env: Record<string, string>) => {
    const child = spawnGateway({ ACOPAY_HOME: own.home, DATABASE_URL: own.database.connectionString, ...env })
    const code = await new Promise<number | null>((resolve) => child.once('exit', resolve))
    return { code, output: child.output() }
  }

  it('finds the same data at its second start, and stops cleanly at Ctrl-C', async () => {
    const first = await own.start()
    const order = await place(first.demo)
    expect(await first.end('SIGINT')).toBe(0)
    own.running.length = 0
    const second = await own.start()
    expect({ ...second.demo, baseUrl: '' }).toEqual({ ...first.demo, baseUrl: '' })
    expect((await close(second.demo, order)).data.code).toBe('SUCCESS')
  })

  it.each(['PORT', 'ACOPAY_METRICS_PORT'])(
    'says in one line that its port is taken, and in which setting: %s',
    async (setting) => {
      const other = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => other.once('listening', resolve))
      const { port } = other.address() as { port: number }
      const { code, output } = await exitOf({ [setting]: String(port) })
      other.close()
      expect([code, output]).toEqual([
        1,
        `端口 ${port} 已被占用，请设置 ${setting} (port ${port} is taken, set ${setting})\n`,
      ])
    },
  )

  it('says in one line that its database cannot be reached, and not the password', async () => {
    const { code, output } = await exitOf({ DATABASE_URL: 'postgres://user:secret@127.0.0.1:1/none' })
    expect(code).toBe(1)
    expect(output).toBe(
      '连接不到数据库，请检查 DATABASE_URL (cannot reach the database, check DATABASE_URL): ECONNREFUSED\n',
    )
  })

  it('leaves the files of its home to another gateway that runs there, and takes them once that has ended', async () => {
    const first = await own.start()
    const files = () => ['demo.json', 'console.json'].map((name) => readFileSync(path.join(own.home, name), 'utf8'))
    const before = files()
    const second = await own.start()
    const note = (url: string) =>
      `注意 note         这两个文件仍指向正在运行的另一个网关 (these files still name the gateway that runs at) ${url}\n`
    expect(second.output()).toContain(note(first.url))
    expect(first.output()).not.toContain('注意 note')
    expect(files()).toEqual(before)
    expect(await second.end('SIGTERM')).toBe(0)
    expect(files()).toEqual(before)
    expect(await first.end('SIGKILL')).toBe(null)
    own.running.length = 0
    const third = await own.start()
    expect(third.output()).not.toContain('注意 note')
    const { baseUrl, ...keys } = JSON.parse(files()[0] ?? '')
    const { baseUrl: _, ...keysBefore } = JSON.parse(before[0] ?? '')
    expect([baseUrl, keys]).toEqual([third.url, keysBefore])
  })

  it('makes its home where that is missing, also with its keys in the environment', async () => {
    const masterKey = startedOnce(own.home).toString('base64')
    const missing = path.join(own.home, 'not', 'there')
    const gateway = await startProcess({
      ACOPAY_HOME: missing,
      ACOPAY_MASTER_KEY: masterKey,
      DATABASE_URL: own.database.connectionString,
    })
    own.running.push(gateway)
    expect((await close(gateway.demo, await place(gateway.demo))).data.code).toBe('SUCCESS')
  })

  it.each([
    ['with the master key in it', {}],
    ['with the embedded database in it', { DATABASE_URL: '', ACOPAY_MASTER_KEY: Buffer.alloc(32).toString('base64') }],
    ['with the demo files in it', { ACOPAY_MASTER_KEY: Buffer.alloc(32).toString('base64') }],
  ])('says in one line that its home cannot be used, %s', async (_, env: Record<string, string>) => {
    const file = path.join(own.home, 'a-file')
    writeFileSync(file, '')
    const below = path.join(file, 'home')
    const { code, output } = await exitOf({ ACOPAY_HOME: below, ...env })
    expect([code, output]).toEqual([
      1,
      `配置错误 configuration: ACOPAY_HOME 指定的文件夹无法使用，请改为可写的文件夹 (this folder cannot be used, name one that can be written): ${below}: ENOTDIR\n`,
    ])
  })

  it('names a setting that it does not know, and starts', async () => {
    const gateway = await own.start({ ACOPAY_RATE_PER_ADRESS: '1' })
    expect(gateway.output().split('\n')[0]).toMatch(/ACOPAY_RATE_PER_ADRESS.*did you mean.*ACOPAY_RATE_PER_ADDRESS/)
  })

  it('says in one line which setting is wrong', async () => {
    const { code, output } = await exitOf({ PORT: '80a' })
    expect(code).toBe(1)
    expect(output).toBe(
      '配置错误 configuration: PORT 应为 0 到 65535 的整数 (a whole number from 0 to 65535); got "80a"\n',
    )
  })
})
