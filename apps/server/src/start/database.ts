/** Opens the database of the configuration: the one at DATABASE_URL, or the embedded one, which is started if necessary. */
import { startEmbeddedPostgres } from '@acopay/embedded-postgres'
import { openPool, type Pool } from '@acopay/store'
import type { Config } from './config.ts'

/** Throws an error of one line when the database cannot be reached. */
export async function openDatabase(
  config: Config,
  onLost: (error: Error) => void,
): Promise<{ pool: Pool; close: () => Promise<void> }> {
  const embedded = config.databaseUrl === null ? await startEmbeddedPostgres(`${config.home}/postgres`) : null
  const where = embedded === null ? { connectionString: config.databaseUrl ?? '' } : embedded.connection
  const pool = openPool({ ...where, max: config.poolMax }, onLost)
  const close = async (): Promise<void> => {
    await pool.end()
    await embedded?.stop()
  }
  await pool.query('select 1').catch(async (error: Error & { code?: string }) => {
    await close()
    // Only the code, because some messages repeat the address, which may contain a password.
    throw new Error(
      `连接不到数据库，请检查 DATABASE_URL (cannot reach the database, check DATABASE_URL): ${error.code ?? error.name}`,
    )
  })
  return { pool, close }
}
