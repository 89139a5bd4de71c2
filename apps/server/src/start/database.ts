/** Opens the database of the configuration: the one at DATABASE_URL, or the embedded one, which is started if necessary. */
import { type EmbeddedPostgres, startEmbeddedPostgres, type Watch } from '@acopay/embedded-postgres'
import { migrate, openPool, type Pool, readSchema, servingName, whyNotServed } from '@acopay/store'
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

/** Throws an error of one line when the database cannot be reached. */
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
  await pool.query('select 1').catch(async (error: Error & { code?: string }) => {
    await close()
    // Only the code, because some messages repeat the address, which may contain a password.
    throw new Error(
      `连接不到数据库，请检查 DATABASE_URL (cannot reach the database, check DATABASE_URL): ${tlsFailure(error) ?? error.code ?? error.name}`,
    )
  })
  return { pool, close, embedded: ownAt }
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
