/** What else can be wrong with settings that are right in themselves: files, rights, and with `--connect` the database. */
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import path from 'node:path'
import { mayRewriteHistory, type Pool, sealedPlatformKeys } from '@acopay/store'
import { provenPlatformKeys } from '../security/platform-key.ts'
import { masterKeyFile, masterKeysThere } from '../security/vault.ts'
import type { CheckedConfig, Config } from '../start/config.ts'
import { openDatabase } from '../start/database.ts'
import { databaseConnection } from '../start/database-tls.ts'
import { envFileOf } from '../start/environment.ts'
import { isHomeNeeded } from '../start/home.ts'
import type { Env } from '../start/setting-sources.ts'
import { unknownSettings } from '../start/unknown-settings.ts'

/** `problems`: with these the gateway does not start, or does not work. One line each. */
export type Remarks = { problems: string[]; warnings: string[] }

/** What costs nothing to find out. Makes no file. */
export function remarksOf(env: Env, { config, settings, problems }: CheckedConfig): Remarks {
  const remarks: Remarks = {
    problems: [...problems],
    warnings: [...(envFileOf(env)?.warnings ?? []), ...unknownSettings(env)],
  }
  for (const { file, name } of settings) {
    if (file !== null && rightsOf(file) & 0o007) {
      remarks.warnings.push(`${name} 的文件，别的用户也能读 (other users may read this file): ${file}`)
    }
  }
  if (config === null) return remarks
  checkHome(config, remarks)
  checkAddress(config, remarks)
  checkMasterKey(config, remarks)
  if (config.signer !== null && !may(config.signer, constants.X_OK)) {
    remarks.problems.push(`ACOPAY_SIGNER 不是可执行的程序 (is no program that can be run): ${config.signer}`)
  }
  if (config.mode === 'production') remarks.warnings.push(...inProduction(config))
  return remarks
}

/** 0 where the file cannot be looked at: then another line says so. */
function rightsOf(file: string): number {
  try {
    return process.getuid === undefined ? 0 : statSync(file).mode
  } catch {
    return 0
  }
}

function may(file: string, what: number): boolean {
  try {
    accessSync(file, what)
    return true
  } catch {
    return false
  }
}

/** A folder that is not there yet is made in the nearest one that is. */
function checkHome(config: Config, { problems }: Remarks): void {
  if (!isHomeNeeded(config)) return
  let folder = config.home
  while (!existsSync(folder)) folder = path.dirname(folder)
  if (statSync(folder).isDirectory() && may(folder, constants.W_OK | constants.X_OK)) return
  problems.push(
    `ACOPAY_HOME 指定的文件夹无法使用，请改为可写的文件夹 (this folder cannot be used, name one that can be written): ${config.home}`,
  )
}

/** Its hosts, and its certificates, whose files are read. */
function checkAddress({ databaseUrl, mode }: Config, { problems }: Remarks): void {
  try {
    if (databaseUrl !== null) databaseConnection(databaseUrl, mode)
  } catch (error) {
    problems.push((error as Error).message)
  }
}

function checkMasterKey(config: Config, { problems, warnings }: Remarks): void {
  if (config.masterKeys.length > 0) return
  const file = masterKeyFile(config.home)
  try {
    if (masterKeysThere(config) === null) {
      if (config.databaseUrl !== null) {
        warnings.push(
          `没有主密钥，首次启动会新建；已有数据的数据库须用原来的 (no master key: the first start makes one; a database that has been used needs its own): ${file}`,
        )
      }
      return
    }
  } catch (error) {
    problems.push((error as Error).message)
  }
  if (rightsOf(file) & 0o077) {
    warnings.push(
      `master.key 别的用户也能读，启动时会改为 0600 (other users may read it; the start makes it 0600): ${file}`,
    )
  }
}

const inProduction = ({ databaseUrl, publicUrl }: Config): string[] => [
  ...(databaseUrl === null
    ? ['没有 DATABASE_URL，将使用自带的数据库 (no DATABASE_URL: the embedded database is used)']
    : []),
  ...(publicUrl === null
    ? [
        '没有 ACOPAY_PUBLIC_URL，付款人和上游会被指向监听的地址 (no ACOPAY_PUBLIC_URL: payers and upstreams are sent to where it listens)',
      ]
    : []),
  ...(publicUrl?.startsWith('http:')
    ? ['ACOPAY_PUBLIC_URL 不是 https，通行密钥不可用 (is not https: no passkeys)']
    : []),
]

const POSTGRES_MIN = 150_000
const NO_SUCH_TABLE = '42P01'

/** Asks the database, and changes nothing in it. The embedded one is not started for that. */
export async function whenConnected(config: Config, remarks: Remarks): Promise<void> {
  if (config.databaseUrl === null) return
  try {
    const { pool, close } = await openDatabase({ ...config, poolMax: 2 })
    try {
      await checkDatabase(pool, config, remarks)
    } finally {
      await close()
    }
  } catch (error) {
    const { message } = error as Error
    if (!remarks.problems.includes(message)) remarks.problems.push(message)
  }
}

async function checkDatabase(pool: Pool, config: Config, { problems, warnings }: Remarks): Promise<void> {
  const { rows } = await pool.query<{ version: string }>("select current_setting('server_version_num') as version")
  if (Number(rows[0]?.version) < POSTGRES_MIN) {
    problems.push('数据库应为 PostgreSQL 15 或更新 (the database should be PostgreSQL 15 or newer)')
  }
  try {
    const master = masterKeysThere(config)
    const sealed = (await sealedPlatformKeys(pool)).length
    if (sealed > 0 && (master === null || (await provenPlatformKeys(pool, master)).length === 0)) {
      problems.push(
        '主密钥解不开数据库里的平台密钥，请使用首次启动时的 (the master key does not unseal the platform key in the database: use that of the first start)',
      )
    }
    if (config.mode === 'production' && (await mayRewriteHistory(pool))) {
      warnings.push('数据库用户可以改写时间线与审计日志 (the database role may rewrite timelines and the audit log)')
    }
  } catch (error) {
    if ((error as { code?: string }).code !== NO_SUCH_TABLE) throw error
    warnings.push(
      '数据库里还没有表，由 npm run migrate 建立，沙箱首次启动也会建立 (the database has no tables yet: npm run migrate makes them, and so does the first start of a sandbox)',
    )
  }
}
