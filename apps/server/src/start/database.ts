/** Opens the database of the configuration: the one at DATABASE_URL, or the embedded one, which is started if necessary. */
import { type EmbeddedPostgres, startEmbeddedPostgres, type Watch } from '@acopay/embedded-postgres'
import {
  migrate,
  NoServerError,
  openPool,
  type Pool,
  readPooler,
  readSchema,
  servingName,
  whyNotServed,
} from '@acopay/store'
import { VERSION } from '../version.ts'
import type { World } from '../world.ts'
import type { Config } from './config.ts'
import { databaseConnection, tlsFailure } from './database-tls.ts'
import { inHome } from './home.ts'

/** A lock holds no request for longer than the merchant waits. */
const STATEMENT_MS = 5000
/** For commands that read or write everything. */
export const LONG_STATEMENT_MS = 86_400_000

/** Where an embedded database listens. */
export type Connection = EmbeddedPostgres['connection']

export type OpenedDatabase = {
  pool: Pool
  close: () => Promise<void>
  /** Of the embedded one; null where it is another's. */
  embedded: Connection | null
}

export type DatabaseOptions = {
  /** An embedded database that another process runs. */
  runsAt?: Connection | null
  /** With it, an embedded database that is lost is started again, and the log says so. */
  watch?: Watch
  /** Ends a start of the embedded database that is under way; the signal's reason is thrown. */
  signal?: AbortSignal
  statementTimeoutMs?: number
  /** A connection was lost while idle; the pool makes another one. */
  onLost?: (error: Error) => void
  /** The connections say that this program serves: `migrate` then knows which versions run. */
  isServing?: boolean
}

/** Throws an error of one line when the database cannot be reached, or not as the gateway needs it. */
export async function openDatabase(
  config: Config,
  { runsAt = null, watch, signal, statementTimeoutMs = STATEMENT_MS, onLost, isServing }: DatabaseOptions = {},
): Promise<OpenedDatabase> {
  const options = watch === undefined ? { signal } : { signal, watch }
  const embedded =
    config.databaseUrl === null && runsAt === null
      ? await inHome(config, () => startEmbeddedPostgres(`${config.home}/postgres`, options))
      : null
  const ownAt = embedded?.connection ?? runsAt
  const where = ownAt ?? databaseConnection(config.databaseUrl ?? '', config.mode)
  const named = isServing ? { application_name: servingName() } : {}
  const pool = openPool({ ...where, ...named, max: config.poolMax, statementTimeoutMs }, onLost)
  const close = async (): Promise<void> => {
    await pool.end()
    await embedded?.stop()
  }
  try {
    const wrong = await wrongWithPooler(pool, statementTimeoutMs)
    if (wrong !== null) throw new PoolerError(wrong)
    return { pool, close, embedded: ownAt }
  } catch (error) {
    await close()
    throw error instanceof PoolerError ? error : new Error(unreachable(error as Error))
  }
}

class PoolerError extends Error {}

/** Only codes, because some messages repeat the address, which may contain a password. */
function unreachable(error: Error & { code?: string }): string {
  if (error.code === '08P01' && error.message.includes('unsupported startup parameter')) return REFUSED_BY_POOLER
  const why = (one: Error & { code?: string }): string => tlsFailure(one) ?? one.code ?? one.name
  const found =
    error instanceof NoServerError
      ? error.failures.map(
          (failure) => `${failure.server}: ${failure.isOurs ? failure.error.message : why(failure.error)}`,
        )
      : [why(error)]
  return `连接不到数据库，请检查 DATABASE_URL (cannot reach the database, check DATABASE_URL): ${found.join('; ')}`
}

const REFUSED_BY_POOLER =
  'PgBouncer 不接受 DATABASE_URL 里的会话设置（08P01）：请去掉 options 等参数，改为 alter role … set …（docs/scaling.zh-CN.md） ' +
  '(PgBouncer refuses a setting of the session in DATABASE_URL, 08P01: take options and the like out, and set them by alter role … set …; docs/scaling.md)'

/** One line; null where nothing is wrong, or no pooler is there. */
async function wrongWithPooler(pool: Pool, statementTimeoutMs: number): Promise<string | null> {
  const pooler = await readPooler(pool, statementTimeoutMs)
  if (pooler === null) return null
  const { missing, followsNames } = pooler
  if (statementTimeoutMs !== STATEMENT_MS)
    return '这个命令不能经过 PgBouncer：请以数据库本身的 DATABASE_URL 执行 (this command does not go through PgBouncer: run it with a DATABASE_URL of the database itself)'
  if (!followsNames)
    return 'PgBouncer 的事务模式须为 1.21 或更新，且 max_prepared_statements 大于0；否则用会话模式 (PgBouncer in transaction mode has to be 1.21 or newer, with max_prepared_statements above 0; else use session mode)'
  if (missing.length === 0) return null
  return `PgBouncer 不传递会话设置：请在数据库执行以下语句，再在 PgBouncer 执行 RECONNECT (PgBouncer does not pass settings of the session on: run this in the database, then RECONNECT in PgBouncer): ${missing.join('; ')}`
}

/**
 * Brings the database to this version's schema where the settings say so. Throws an error of one line where the database is then still
 * one that this program cannot serve. Returns whether it is a newer one.
 */
export async function prepareSchema(
  { migrate: when }: Pick<Config, 'migrate'>,
  pool: Pool,
  say: (line: string) => void = () => {},
): Promise<'newer' | 'equal'> {
  if (when === 'auto') await migrate(pool, { program: VERSION, say })
  const schema = await readSchema(pool)
  const wrong = whyNotServed(schema)
  if (wrong !== null) throw new Error(wrong)
  return schema.unknown.length > 0 ? 'newer' : 'equal'
}

/** The line for a start that fails because the database is lost on the way; other errors as they are. */
export function lostOnTheWay(error: unknown): unknown {
  const { code = '', message } = error as Error & { code?: string }
  const isLost =
    /^(?:EPIPE|ECONN.*|ENOENT|57P0\d|08\d{3})$/.test(code) || /^Connection terminated|timeout/.test(message)
  if (!isLost) return error
  return new Error(
    `启动时数据库断开，请重新启动 (the database was lost during the start, start again): ${code || message}`,
  )
}

/** Logs what happens to the embedded database. `onGone` is called when it cannot be started again. */
export const loggedWatch = (log: World['log'], onGone: (error: Error) => void): Watch => ({
  onLost: () => log.error({ alarm: true }, 'the embedded database is lost and is being started again'),
  onFailed: (err) => log.warn({ err }, 'the embedded database cannot be started yet'),
  onBack: () => log.info('the embedded database is back'),
  onGone,
})
