/** Backups as an operator takes, rehearses and restores them, and what a restore refuses. */

import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { listRestorations } from '@acopay/store'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { headerText, piecesOf } from '../apps/server/src/commands/archive/format.ts'
import { backup } from '../apps/server/src/commands/backup.ts'
import type { OperatorCommand } from '../apps/server/src/commands/operator-command.ts'
import { restore } from '../apps/server/src/commands/restore.ts'
import { answeredClose, restored } from '../apps/server/src/commands/restored.ts'
import { UsageError } from '../apps/server/src/commands/usage-error.ts'
import { startedOnce, type TestDatabase, testDatabase } from './support/database.ts'

let folder: string
let source: TestDatabase
let target: TestDatabase
let masterKey: string
/** A backup that is whole. */
let whole: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'acopay-backup-'))
  masterKey = startedOnce(folder).toString('base64')
  source = await testDatabase('started')
  await source.pool.query(`update merchant set name = E'商店\\n\\\\.\\t"x"'`)
  target = await testDatabase()
  whole = path.join(folder, 'whole.gz')
  await run(backup, ['--to', whole])
}, 120_000)
afterAll(async () => {
  await source.drop()
  await target.drop()
  rmSync(folder, { recursive: true })
})

async function run(command: OperatorCommand, args: string[], on = source, key = masterKey) {
  const said: string[] = []
  const env = { DATABASE_URL: on.connectionString, ACOPAY_MASTER_KEY: key, ACOPAY_HOME: folder }
  const code = await command.run(args, { env, defaultHome: folder, say: (line) => void said.push(line) })
  return { code, said: said.join('\n') }
}

const merchants = async (of: TestDatabase) => (await of.pool.query('select * from merchant order by 1')).rows

/** The archive with its text changed. */
function changed(change: (text: string) => string): string {
  const file = path.join(folder, `${randomBytes(4).toString('hex')}.gz`)
  writeFileSync(file, gzipSync(change(gunzipSync(readFileSync(whole)).toString('utf8'))))
  return file
}

/** A row is changed, and the checksums of its table are made to fit. */
function forged(text: string): string {
  const [, before = '', rows = '', after = ''] =
    /^([\s\S]*COPY "?merchant"? [^\n]*\n)([\s\S]*?)(\\\.\n-- acopay table [\s\S]*)$/.exec(text) ?? []
  const others = rows.replace('商店', '本店')
  const sha256 = (of: string) => createHash('sha256').update(of).digest('hex')
  return before + others + after.replace(sha256(rows), sha256(others))
}

describe('a backup', () => {
  it('is a file for its owner only, complete or not there, and replaces none', async () => {
    expect(statSync(whole).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
    await expect(run(backup, ['--to', whole])).rejects.toThrow('不会覆盖')
    await expect(run(backup, ['--to', path.join(folder, 'none', 'x.gz')])).rejects.toThrow('ENOENT')
  })

  it('never holds the master key, and names its fingerprint', async () => {
    const text = gunzipSync(readFileSync(whole)).toString('latin1')
    expect(text).not.toContain(masterKey)
    expect(text).not.toContain(Buffer.from(masterKey, 'base64').toString('hex'))
    const { said } = await run(backup, ['--to', path.join(folder, 'again.gz')])
    expect(said).toMatch(/指纹 [0-9a-f]{16}/)
  })

  it('is rehearsed in a database of its own, which is removed', async () => {
    const before = await merchants(source)
    const scratch = async () =>
      (await source.pool.query(`select datname from pg_database where datname like 'acopay_rehearsal_%' order by 1`))
        .rows
    const others = await scratch()
    const { code, said } = await run(restore, [whole, '--rehearse'])
    expect({ code, last: said.split('\n').at(-1) }).toMatchObject({
      code: 0,
      last: expect.stringContaining('演练成功'),
    })
    expect(said).toContain('全部相符')
    expect(await scratch()).toEqual(others)
    expect(await merchants(source)).toEqual(before)
    expect(await listRestorations(source.pool)).toEqual([])
  }, 120_000)

  it('is restored into an empty database, which then says that it was set back; never over rows, unless told so', async () => {
    expect((await run(restore, [whole], target)).code).toBe(0)
    expect(await merchants(target)).toEqual(await merchants(source))
    expect(await listRestorations(target.pool)).toMatchObject([{ doneAt: null }])
    expect((await target.pool.query('select count(*)::int as n from console_session')).rows).toEqual([{ n: 0 }])
    await target.pool.query(`update merchant set name = 'kept'`)
    await expect(run(restore, [whole], target)).rejects.toThrow('不是空的')
    expect(await merchants(target)).toMatchObject([{ name: 'kept' }])
    expect((await run(restore, [whole, '--replace'], target)).code).toBe(0)
    expect(await merchants(target)).toEqual(await merchants(source))
  }, 120_000)

  it('is encrypted for a public key of age, and opened by its private key alone', async () => {
    const identity = await generateX25519Identity()
    const file = path.join(folder, 'locked.age')
    await run(backup, ['--to', file, '--encrypt-to', await identityToRecipient(identity)])
    expect(readFileSync(file, 'latin1')).toMatch(/^age-encryption\.org\/v1\n/)
    await expect(run(restore, [file, '--rehearse'])).rejects.toThrow('备份已加密')
    const [right, wrong] = [path.join(folder, 'right'), path.join(folder, 'wrong')]
    writeFileSync(right, `# key\n${identity}\n`)
    writeFileSync(wrong, await generateX25519Identity())
    await expect(run(restore, [file, '--rehearse', '--identity', wrong])).rejects.toThrow('密钥打不开')
    expect((await run(restore, [file, '--rehearse', '--identity', right])).code).toBe(0)
    await expect(run(backup, ['--to', `${file}2`, '--encrypt-to', 'age1x'])).rejects.toThrow('age 公钥')
  }, 120_000)
})

describe('a restore refuses, and writes nothing, when', () => {
  const refused = async (file: string, says: string): Promise<void> => {
    const empty = await testDatabase()
    await expect(run(restore, [file], empty)).rejects.toThrow(says)
    expect(await merchants(empty)).toEqual([])
    await empty.drop()
  }

  it('the file was cut off', async () => {
    const file = path.join(folder, 'cut.gz')
    writeFileSync(file, readFileSync(whole).subarray(0, -200))
    await refused(file, '不完整')
    await refused(
      changed((text) => text.slice(0, text.lastIndexOf('-- acopay end'))),
      '不完整',
    )
  })

  it('a byte of the file or of a row is another one', async () => {
    const bytes = readFileSync(whole)
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
    const file = path.join(folder, 'bent.gz')
    writeFileSync(file, bytes)
    await refused(file, '损坏')
    await refused(
      changed((text) => text.replace('商店', '本店')),
      '损坏',
    )
  })

  it('a row was changed, with its checksum', () => refused(changed(forged), '备份被改过'))

  it('it is from a newer version, or no backup', async () => {
    await refused(
      changed((text) => text.replace(/"number":\d+/, '"number":9999')),
      '更新的版本',
    )
    await refused(
      changed(() => 'select 1;\n'),
      '不是网关的备份',
    )
    await refused(path.join(folder, 'none.gz'), 'ENOENT')
  })

  it('the master key at hand is another one', async () => {
    const other = randomBytes(32).toString('base64')
    await expect(run(restore, [whole], target, other)).rejects.toThrow(/需要指纹为 [0-9a-f]{16} 的主密钥/)
  })
})

it('a database that another program has set back is named to the gateway, with closes from a log', async () => {
  const database = await testDatabase('started')
  const line = (more: object) =>
    JSON.stringify({
      msg: 'request',
      method: 'POST',
      path: '/pay/v1/transactions/close',
      outcome: 'SUCCESS',
      mchNo: 'M',
      transactionNo: 'AP1',
      ...more,
    })
  const log = path.join(folder, 'log')
  writeFileSync(log, `${line({})}\nnot json\n${line({ outcome: 'FAIL' })}\n`)
  await expect(run(restored, ['--log', log], database)).rejects.toThrow('请先给出 --to')
  await expect(run(restored, ['--to', '2026-03-01'], database)).rejects.toThrow(UsageError)
  await expect(run(restored, ['--to', '2999-03-01T00:00:00Z'], database)).rejects.toThrow('将来')
  const { said } = await run(restored, ['--to', '2026-03-01T12:00:00+08:00', '--log', log], database)
  expect(said).toContain('1 次已答复的关单，其中 0 单')
  expect(said).toContain('2026-03-01T04:00:00.000Z ←')
  expect(answeredClose(line({}))).toEqual({ mchNo: 'M', transactionNo: 'AP1' })
  for (const more of [{ path: '/x/query' }, { outcome: 'FAIL' }, { mchNo: 1 }])
    expect(answeredClose(line(more))).toBeNull()
  await database.drop()
})

it('an archive is read the same in pieces of any size', async () => {
  const header = {
    format: 1,
    version: '1',
    migration: { number: 1, name: 'x' },
    takenAt: '',
    masterKeys: [],
    platformKeysElsewhere: [],
  } as const
  const end = { table: 'a', rows: 2, bytes: 9, sha256: '' }
  const text = Buffer.from(
    `${headerText({ ...header, masterKeys: [], platformKeysElsewhere: [] })}COPY "a" ("b", "c") FROM stdin;\n1\t\\\\.\n\\N\t店\n\\.\n-- acopay table ${JSON.stringify(end)}\nCOPY "e" ("f") FROM stdin;\n\\.\n`,
  )
  for (let size = 1; size <= text.length; size += 1) {
    const chunks = (async function* () {
      for (let at = 0; at < text.length; at += size) yield text.subarray(at, at + size)
    })()
    const kinds: string[] = []
    let rows = ''
    for await (const piece of piecesOf(chunks)) {
      if (piece.kind === 'rows') rows += piece.bytes.toString('utf8')
      else kinds.push(piece.kind === 'begin' ? `begin ${piece.table.table} ${piece.table.columns}` : piece.kind)
    }
    expect({ size, kinds, rows }).toEqual({
      ...{ size, rows: '1\t\\\\.\n\\N\t店\n' },
      kinds: ['header', 'begin a b,c', 'table', 'begin e f'],
    })
  }
})
