/**
 * `acopay-server archive`: takes the orders of past months that are at rest out of the database, into files that are read again before
 * anything is removed; verifies such a file without a database; brings its orders back. May run while gateways run. docs/archive.md.
 */
import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGzip } from 'node:zlib'
import { CHINA_MS } from '@acopay/core'
import { verifyText } from '@acopay/protocol'
import { forgetUnwritten, listArchives } from '@acopay/store'
import { oldestOrder } from '@acopay/store/console'
import { signedText } from '../actions/audit/day-heads.ts'
import { keyHolders } from '../security/key-places.ts'
import { loadSigningKey, provenPlatformKeys } from '../security/platform-key.ts'
import { loadPurposeKeys } from '../security/purpose-keys.ts'
import { stampsOf } from '../security/stamps.ts'
import { loadMasterKeys } from '../security/vault.ts'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'
import { inHome } from '../start/home.ts'
import { VERSION } from '../version.ts'
import type { Lock, Unlock } from './archive/encryption.ts'
import { migrationOf } from './archive/take.ts'
import { archiveMonth, lookAt, monthBounds, REST_MS, saySizes, sayStayed } from './months/archive-month.ts'
import { bringBack } from './months/bring-back.ts'
import { checkMonthFile } from './months/check-file.ts'
import { type Manifest, provenManifest, sha256Of } from './months/manifest.ts'
import { monthHeader, monthText, nothingYet } from './months/month-file.ts'
import { takeOut } from './months/take-out.ts'
import { type MonthTools, progressOf } from './months/tools.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = [
  '--before YYYY-MM --to FOLDER [--dry-run] [--passphrase-file FILE | --encrypt-to age1… --identity FILE]',
  'verify FILE [--passphrase-file FILE | --identity FILE]     校验文件 checks a file, without a database',
  'restore FILE [--passphrase-file FILE | --identity FILE]    恢复其中的订单 brings its orders back',
  'list                                                        已有的归档 the archives that there are',
].join('\n')

/** A month has ended so long ago: its orders' bills, comparisons and watches are over. */
const ENDED_MS = 31 * 24 * 3_600_000
const PART_ORDERS = 500

export const archive: OperatorCommand = {
  usage: USAGE,
  zh: '把过去月份的订单归档到文件，校验或恢复',
  en: 'takes orders of past months out into files, verifies these, brings them back',
  run: async (args, io) => {
    const asked = read(args)
    if (asked.verb === 'verify') return verifyFile(asked, io)
    return withTools(io, async (tools) => {
      if (asked.verb === 'list') return list(tools)
      if (asked.verb === 'restore') return restoreFile(tools, asked)
      return archiveBefore(tools, asked)
    })
  },
}

type Asked = {
  verb: 'archive' | 'verify' | 'restore' | 'list'
  file: string
  before: string
  to: string
  isDry: boolean
  lock: Lock
  unlock: Unlock
}

function read(args: string[]): Asked {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        before: { type: 'string', default: '' },
        to: { type: 'string', default: '' },
        'dry-run': { type: 'boolean', default: false },
        'encrypt-to': { type: 'string', multiple: true, default: [] },
        'passphrase-file': { type: 'string' },
        identity: { type: 'string' },
      },
    })
    const [verb = 'archive', file = ''] = positionals
    const { before, to, 'dry-run': isDry, 'encrypt-to': recipients, identity: identityFile = null } = values
    const passphraseFile = values['passphrase-file'] ?? null
    const isWhole = {
      archive: before !== '' && (to !== '' || isDry),
      verify: file !== '',
      restore: file !== '',
      list: true,
    }
    if (!Object.hasOwn(isWhole, verb) || !isWhole[verb as Asked['verb']]) throw new Error()
    const lock = { recipients, passphraseFile }
    return { verb: verb as Asked['verb'], file, before, to, isDry, lock, unlock: { identityFile, passphraseFile } }
  } catch {
    throw new UsageError(USAGE)
  }
}

/** The command's own database, keys and time. */
async function withTools(io: OperatorIo, use: (tools: MonthTools) => Promise<number>): Promise<number> {
  const config = readConfig(io.env, io.defaultHome)
  const { pool, close } = await openDatabase(config, { statementTimeoutMs: LONG_STATEMENT_MS })
  const holders = keyHolders(config)
  try {
    await migrationOf(pool)
    const master = await inHome(config, async () => loadMasterKeys(config))
    const now = await nowOf(pool)
    return await use({
      ...{ pool, master, now, say: io.say, step: () => {}, partOrders: PART_ORDERS },
      stamps: stampsOf(await loadPurposeKeys(pool, master)),
      key: await loadSigningKey(pool, master, now, holders),
      keys: await provenPlatformKeys(pool, master),
    })
  } finally {
    await holders.signer?.stop()
    await close()
  }
}

/** First what an interrupted run has left, then month after month. */
export async function archiveBefore(tools: MonthTools, asked: Omit<Asked, 'verb' | 'file'>): Promise<number> {
  const { before, to: folder, isDry, lock, unlock } = asked
  const { pool, say, now } = tools
  checkBefore(before, now)
  if (!isDry && lock.recipients.length > 0 && unlock.identityFile === null)
    throw new Error(
      '--encrypt-to 还需要 --identity，写下的文件要读回核对 (--encrypt-to needs --identity too: what is written is read again)',
    )
  if (!isDry && !existsSync(folder)) throw new Error(`没有这个目录 (there is no such folder): ${folder}`)
  if (!isDry) await goOn(tools, folder, unlock)
  const oldest = await oldestOrder(pool)
  let orders = 0
  for (const month of oldest === null ? [] : monthsOf(oldest, before)) {
    if (isDry) await dryRun(tools, month)
    else orders += await archiveMonth(tools, { month, folder, lock, unlock })
  }
  if (!isDry && orders === 0) say(`${before} 之前没有可归档的订单 (no orders before that are at rest)`)
  return 0
}

function checkBefore(before: string, now: Date): void {
  if (!/^20\d\d-(?:0[1-9]|1[0-2])$/.test(before)) throw new UsageError(USAGE)
  if (monthBounds(before).begin.getTime() <= now.getTime() - ENDED_MS) return
  const latest = new Date(now.getTime() - ENDED_MS + CHINA_MS).toISOString().slice(0, 7)
  throw new Error(
    `--before 最晚为 ${latest}：一个月结束31天之后才归档 (a month is archived 31 days after its end: at most ${latest})`,
  )
}

/** From the month of this number on. */
function* monthsOf(number: string, before: string): Generator<string> {
  let [year, month] = [Number(number.slice(2, 6)), Number(number.slice(6, 8))]
  for (;;) {
    const text = `${year}-${String(month).padStart(2, '0')}`
    if (text >= before) return
    yield text
    month = (month % 12) + 1
    if (month === 1) year += 1
  }
}

async function goOn(tools: MonthTools, folder: string, unlock: Unlock): Promise<void> {
  const { pool, say, now } = tools
  for (const { archiveNo, file } of await forgetUnwritten(pool))
    say(`${archiveNo} 没有写完，它的文件可以删除 (was not written to its end; its file may be deleted): ${file}`)
  for (const { archiveNo, state, file, sha256, orders } of await listArchives(pool)) {
    if (state === 'RESTORING')
      throw new Error(
        `归档 ${archiveNo} 正在恢复，请先再次执行 archive restore (is being brought back: run archive restore again first)`,
      )
    if (state !== 'REMOVING') continue
    const found = [file, path.join(folder, path.basename(file))].find((one) => existsSync(one))
    if (found === undefined || (await sha256Of(found)).sha256 !== sha256)
      throw new Error(`归档 ${archiveNo} 没有做完，需要它的文件 (was not finished, and its file is needed): ${file}`)
    say(`${archiveNo} 接着做 (is continued)`)
    const changedBefore = new Date(now.getTime() - REST_MS)
    const stayed = await takeOut(tools, { archiveNo, file: found, unlock, orders: Number(orders), changedBefore })
    say(`✓ ${archiveNo}: ${Number(orders) - stayed} 单已归档并移出 (orders are in the file and out of the database)`)
  }
}

/** Writes the file to nowhere. */
async function dryRun(tools: MonthTools, month: string): Promise<void> {
  const looked = await lookAt(tools, month)
  if (looked === null) return
  const written = nothingYet()
  let size = 0
  const count = new Writable({
    write(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done()
    },
  })
  const header = monthHeader({
    ...{ archiveNo: month, month, version: VERSION, writtenAt: tools.now.toISOString() },
    ...{ migration: await migrationOf(tools.pool), masterKeys: [] },
  })
  await pipeline(Readable.from(monthText(header, looked.parts(), written)), createGzip({ level: 6 }), count)
  tools.say(`${month}:`)
  saySizes(tools.say, written)
  tools.say(`  文件约 the file would have about ${size} 字节 bytes`)
  sayStayed(tools.say, month, looked)
}

async function verifyFile({ file, unlock }: Asked, { say }: OperatorIo): Promise<number> {
  const { manifest, keyId, publicKey, digest } = await provenManifest(file)
  const progress = progressOf(say, '核对 checking', manifest.orders)
  const { header, written, heads } = await checkMonthFile(file, unlock, progress)
  const isSame =
    JSON.stringify([header, written.orders, written.rows, heads]) ===
    JSON.stringify([manifest.archive, manifest.orders, manifest.rows, manifest.heads])
  if (!isSame) throw new Error(`文件与清单不符 (the file is not what the manifest says): ${file}`)
  const { ofKey, others } = signedHeads(manifest, publicKey, keyId)
  saySizes(say, written)
  say(`  ${ofKey} 天的日摘要由同一密钥签名 days' heads are signed by the same key, ${others} 天由其他密钥 by others`)
  say(`平台密钥 signed by the platform key ${keyId}, sha256 ${digest}…`)
  say(
    `✓ ${header.archiveNo}: ${written.orders} 单与清单、时间线与签名的日摘要全部相符 (all is as it was written and signed)`,
  )
  return 0
}

/** Without a database only the heads that the manifest's own key has signed can be checked. */
function signedHeads({ day_heads }: Manifest, publicKey: KeyObject, keyId: string): { ofKey: number; others: number } {
  const own = day_heads.filter((one) => one.keyId === keyId)
  for (const { day, heads, signature } of own) {
    if (!verifyText(signedText(heads), signature, publicKey))
      throw new Error(`${day} 日摘要签名不符 (the heads of that day are not signed by the platform)`)
  }
  return { ofKey: own.length, others: day_heads.length - own.length }
}

async function restoreFile(tools: MonthTools, { file, unlock }: Asked): Promise<number> {
  const back = await bringBack(tools, file, unlock)
  tools.say(`✓ ${back} 单已恢复到数据库 (orders are in the database again)`)
  return 0
}

async function list({ pool, say }: MonthTools): Promise<number> {
  for (const { archiveNo, state, orders, file, begunAt } of await listArchives(pool))
    say(`${archiveNo}  ${state.padEnd(9)}  ${orders ?? '?'} 单 orders  ${begunAt.toISOString()}  ${file}`)
  return 0
}
