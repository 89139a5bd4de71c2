import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pg from 'pg'
import { afterEach, describe, expect, it } from 'vitest'
import { type EmbeddedPostgres, startEmbeddedPostgres } from './launcher.ts'

const dirs: string[] = []
const started: EmbeddedPostgres[] = []

const freshDir = (name = 'pg'): string => {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'acopay-embedded-'))
  dirs.push(root)
  return path.join(root, name)
}

const start = async (dir: string): Promise<EmbeddedPostgres> => {
  const postgres = await startEmbeddedPostgres(dir)
  started.push(postgres)
  return postgres
}

const query = async (postgres: EmbeddedPostgres, sql: string): Promise<pg.QueryResult> => {
  const client = new pg.Client(postgres.connection)
  await client.connect()
  client.on('error', () => {})
  try {
    return await client.query(sql)
  } finally {
    await client.end()
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Its own child is buried by Node a moment after it ended. */
const expectGone = (pid: number) => expect.poll(() => isAlive(pid)).toBe(false)

afterEach(async () => {
  for (const postgres of started.splice(0)) await postgres.stop()
  for (const dir of dirs.splice(0)) fs.rmSync(dir, { recursive: true, force: true })
})

describe('the embedded PostgreSQL', () => {
  it('starts from nothing, answers in its own database, and is gone after stop', async () => {
    const postgres = await start(freshDir())
    const { rows } = await query(
      postgres,
      `select current_database() as name, current_setting('listen_addresses') as tcp`,
    )
    expect(rows).toEqual([{ name: 'acopay', tcp: '' }])
    expect(postgres.adopted).toBe(false)
    await postgres.stop()
    await expectGone(postgres.pid)
  })

  it('is adopted by a second start', async () => {
    const dir = freshDir()
    const first = await start(dir)
    const second = await start(dir)
    expect(second).toMatchObject({ adopted: true, pid: first.pid, connection: first.connection })
  })

  it('keeps running after stop while another client is connected, and the last one stops it', async () => {
    const dir = freshDir()
    const first = await start(dir)
    const second = await start(dir)
    await first.stop()
    expect(isAlive(first.pid)).toBe(true)
    await query(second, 'select 1')
    await second.stop()
    await expectGone(first.pid)
  })

  it('stops when both of its users stop at the same moment', async () => {
    const dir = freshDir()
    const first = await start(dir)
    const second = await start(dir)
    await Promise.all([first.stop(), second.stop()])
    await expectGone(first.pid)
  })

  it('survives kill -9 of the whole server and keeps what was committed', async () => {
    const dir = freshDir()
    const first = await start(dir)
    await query(first, 'create table kept as select 7 as seven')
    const { rows } = await query(first, 'select pid from pg_stat_activity where pid <> pg_backend_pid()')
    for (const pid of [first.pid, ...rows.map((row) => row.pid)]) process.kill(pid, 'SIGKILL')
    const second = await start(dir)
    expect(second.adopted).toBe(false)
    expect((await query(second, 'select seven from kept')).rows).toEqual([{ seven: 7 }])
  })

  it('that is killed is started again for both of its users, once, and the last to stop stops it', async () => {
    const dir = freshDir()
    const told: string[][] = [[], []]
    const users: EmbeddedPostgres[] = []
    for (const lines of told) {
      const watch = {
        onLost: () => lines.push('lost'),
        onFailed: () => {},
        onBack: () => lines.push('back'),
        onGone: () => lines.push('gone'),
      }
      users.push(await startEmbeddedPostgres(dir, { watch }))
    }
    started.push(...users)
    const [one, other] = users as [EmbeddedPostgres, EmbeddedPostgres]
    await query(one, 'create table kept as select 7 as seven')
    const before = one.pid
    process.kill(before, 'SIGKILL')
    await expect
      .poll(() => told)
      .toEqual([
        ['lost', 'back'],
        ['lost', 'back'],
      ])
    expect([one.pid, other.pid]).toEqual([other.pid, one.pid])
    expect(one.pid).not.toBe(before)
    expect((await query(other, 'select seven from kept')).rows).toEqual([{ seven: 7 }])
    await one.stop()
    expect(isAlive(other.pid)).toBe(true)
    const last = other.pid
    await other.stop()
    await expectGone(last)
  })

  it('that cannot be started again is given up, and its user is told why', async () => {
    const dir = freshDir()
    const told: string[] = []
    const watch = {
      onLost: () => {
        fs.rmSync(path.join(dir, 'data', 'global', 'pg_control'))
      },
      onFailed: () => {},
      onBack: () => told.push('back'),
      onGone: (error: Error) => told.push(error.message),
    }
    const postgres = await startEmbeddedPostgres(dir, { watch, giveUpMs: 1 })
    process.kill(postgres.pid, 'SIGINT')
    await expect.poll(() => told.length).toBe(1)
    expect(told[0]).toMatch(
      /^嵌入式数据库无法启动.*embedded PostgreSQL cannot start.*could not find the database system/,
    )
    await postgres.stop()
  })

  it('that is not watched stays as it is when it is lost', async () => {
    const postgres = await start(freshDir())
    process.kill(postgres.pid, 'SIGINT')
    await expectGone(postgres.pid)
    await postgres.stop()
  })

  it('whose start is given up leaves nothing that runs', async () => {
    const dir = freshDir()
    const { pid } = await start(dir).then(async (postgres) => {
      await postgres.stop()
      return postgres
    })
    await expectGone(pid)
    const reason = new Error('given up')
    const places = [path.join(dir, 'data', 'postmaster.pid'), `${freshDir()}/data.tmp-${process.pid}`]
    for (const file of places) {
      const stopping = new AbortController()
      const starting = startEmbeddedPostgres(file.split('/data')[0] ?? '', { signal: stopping.signal })
      starting.catch(() => {})
      while (!fs.existsSync(file)) await new Promise(setImmediate)
      const server = Number(
        fs.readFileSync(path.join(dir, 'data', 'postmaster.pid'), { encoding: 'utf8', flag: 'a+' }).split('\n')[0],
      )
      stopping.abort(reason)
      await expect(starting).rejects.toBe(reason)
      if (server > 0) await expectGone(server)
      expect(fs.existsSync(file)).toBe(false)
    }
  })

  it('starts in a folder whose path is too long for a socket', async () => {
    const postgres = await start(freshDir('long'.repeat(30)))
    expect(postgres.connection.host.length).toBeLessThan(100)
    await query(postgres, 'select 1')
    await postgres.stop()
    fs.rmSync(postgres.connection.host, { recursive: true })
  })

  it('throws away what an initdb that was killed left behind', async () => {
    const dir = freshDir()
    fs.mkdirSync(path.join(dir, 'data.tmp-99999999'), { recursive: true })
    const postgres = await start(dir)
    await query(postgres, 'select 1')
    expect(fs.readdirSync(dir).filter((name) => name.includes('tmp'))).toEqual([])
  })
})
