/** `npm run migrate`: brings the database to this version, and lets a role serve it that cannot rewrite what happened. */
import { grantServing, migrate as migrateDatabase } from '@acopay/store'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'

const USAGE =
  'npm run migrate [-- --serving-role NAME]   DATABASE_URL 须为表的所有者 (DATABASE_URL names the owner of the tables)'

/** Returns the lines that say what was done. Throws an error of one line. */
export async function migrate(
  env: Record<string, string | undefined>,
  defaultHome: string,
  args: string[],
): Promise<string[]> {
  const [option, role] = args
  if (args.length > 2 || (option !== undefined && (option !== '--serving-role' || !role))) throw new Error(USAGE)
  const { pool, close } = await openDatabase(readConfig(env, defaultHome), { statementTimeoutMs: LONG_STATEMENT_MS })
  try {
    await migrateDatabase(pool)
    const migrated = '数据库已是本版本 (the database is at this version)'
    if (role === undefined) return [migrated]
    switch (await grantServing(pool, role)) {
      case 'no such role':
        throw new Error(`没有数据库角色 ${role}，请先 create role (no such role, create it first)`)
      case 'may do anything':
        throw new Error(`${role} 是表的所有者或超级用户 (owns the tables, or is a superuser): create another role`)
      case 'granted':
        return [
          migrated,
          `${role} 可以运行网关，不能修改或删除时间线与审计日志 (may serve, and cannot change or remove timelines and audit rows)`,
        ]
    }
  } finally {
    await close()
  }
}
