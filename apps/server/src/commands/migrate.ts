/** `acopay-server migrate`: brings the database to this version, and lets a role serve it that cannot rewrite what happened. */
import { grantServing, migrate as migrateDatabase } from '@acopay/store'
import { readConfig } from '../start/config.ts'
import { LONG_STATEMENT_MS, openDatabase } from '../start/database.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = '[--serving-role NAME]   DATABASE_URL 须为表的所有者 (DATABASE_URL names the owner of the tables)'

export const migrate: OperatorCommand = {
  usage: USAGE,
  zh: '把数据库升级到本版本',
  en: 'bring the database to this version',
  run: async (args, io) => {
    for (const line of await migrated(args, io)) io.say(line)
    return 0
  },
}

/** Returns the lines that say what was done. */
async function migrated(args: string[], { env, defaultHome }: OperatorIo): Promise<string[]> {
  const [option, role] = args
  if (args.length > 2 || (option !== undefined && (option !== '--serving-role' || !role))) throw new UsageError(USAGE)
  const { pool, close } = await openDatabase(readConfig(env, defaultHome), { statementTimeoutMs: LONG_STATEMENT_MS })
  try {
    await migrateDatabase(pool)
    const isThere = '数据库已是本版本 (the database is at this version)'
    if (role === undefined) return [isThere]
    switch (await grantServing(pool, role)) {
      case 'no such role':
        throw new Error(`没有数据库角色 ${role}，请先 create role (no such role, create it first)`)
      case 'may do anything':
        throw new Error(`${role} 是表的所有者或超级用户 (owns the tables, or is a superuser): create another role`)
      case 'granted':
        return [
          isThere,
          `${role} 可以运行网关，不能修改或删除时间线与审计日志 (may serve, and cannot change or remove timelines and audit rows)`,
        ]
    }
  } finally {
    await close()
  }
}
