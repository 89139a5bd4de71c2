/** `acopay-server console-user`: adds the console's first users, and resets a lost password. May run while the gateway runs. */
import { isMerchantRole, ROLES } from '@acopay/protocol/console'
import { type Db, findMerchant } from '@acopay/store'
import {
  addConsoleUser,
  changeConsoleUser,
  endConsoleSessions,
  findConsoleUser,
  revokeInvitationsOf,
  unlinkSubjects,
} from '@acopay/store/console'
import { hashing } from '../security/hashing.ts'
import { hashPassword, newPassword, oneTimeEnd } from '../security/passwords.ts'
import { readConfig } from '../start/config.ts'
import { openDatabase, prepareSchema } from '../start/database.ts'
import { nowOf } from './now.ts'
import type { OperatorCommand, OperatorIo } from './operator-command.ts'
import { UsageError } from './usage-error.ts'

const USAGE = [`add NAME ${ROLES.join('|')} [MCH_NO]`, 'reset NAME'].join('\n')

const NAME = /^[a-z0-9][a-z0-9._-]{1,63}$/

export const consoleUser: OperatorCommand = {
  usage: USAGE,
  zh: '添加管理台用户，或重设密码',
  en: 'add a user of the console, or reset a password',
  run: async (args, io) => {
    io.say(await addedOrReset(args, io))
    return 0
  },
}

/** Returns a line with the one-time password. */
async function addedOrReset(
  [operation, username = '', role, mchNo]: string[],
  { env, defaultHome }: OperatorIo,
): Promise<string> {
  if ((operation !== 'add' && operation !== 'reset') || username === '') throw new UsageError(USAGE)
  const config = readConfig(env, defaultHome)
  const { pool, close } = await openDatabase(config)
  try {
    await prepareSchema(config, pool)
    const password = newPassword()
    const fresh = { hash: await hashPassword(hashing(), password), endsAt: oneTimeEnd(await nowOf(pool)) }
    if (operation === 'add') await add(pool, { username, role, mchNo: mchNo ?? null, fresh })
    else await reset(pool, username, fresh)
    return `${username}  一次性密码，72小时内有效 one-time password, for 72 hours: ${password}`
  } finally {
    await close()
  }
}

type Fresh = { hash: string; endsAt: Date }

async function add(
  db: Db,
  { username, role, mchNo, fresh }: { username: string; role: string | undefined; mchNo: string | null; fresh: Fresh },
): Promise<void> {
  const known = ROLES.find((one) => one === role)
  if (known === undefined) throw new UsageError(USAGE)
  if (!NAME.test(username)) throw new Error('用户名应为2到64个小写字母、数字或 . _ - (2 to 64 of a-z, 0-9, . _ -)')
  if (isMerchantRole(known) !== (mchNo !== null)) {
    throw new Error('商户角色须给出商户号，平台角色不给 (merchant roles need MCH_NO, platform roles must not have one)')
  }
  const now = await nowOf(db)
  if (mchNo !== null && (await findMerchant(db, mchNo, now)) === null) {
    throw new Error(`没有商户 ${mchNo} (no such merchant)`)
  }
  const user = {
    username,
    role: known,
    mchNo,
    passwordHash: fresh.hash,
    mustChangePassword: true,
    passwordEndsAt: fresh.endsAt,
  }
  if (!(await addConsoleUser(db, user, now))) throw new Error(`用户名已被使用 (taken): ${username}`)
}

/** Also unlocks the name, revokes the user's open invitations, unlinks the identity provider and drops the second factor, because the user may have lost the authenticator or the passkeys. */
async function reset(db: Db, username: string, fresh: Fresh): Promise<void> {
  if ((await findConsoleUser(db, username)) === null) throw new Error(`没有用户 ${username} (no such user)`)
  await changeConsoleUser(db, username, { password: fresh, isEnabled: true, dropSecondFactor: true })
  await endConsoleSessions(db, username)
  await revokeInvitationsOf(db, username, await nowOf(db))
  await unlinkSubjects(db, username)
}
