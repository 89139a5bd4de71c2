/** The console's users. A platform admin manages all of them, a merchant's admin those of its own merchant. */
import {
  isMerchantRole,
  ROLES,
  type Role,
  type UserChanged,
  type UserList,
  type UserRow,
} from '@acopay/protocol/console'
import { type ConsoleUser, findConsoleUser, findMerchant, listConsoleUsers } from '@acopay/store/read'
import { hidden } from '../../../actions/console/audit.ts'
import { addUser, changeUser } from '../../../actions/console/users.ts'
import type { World } from '../../../world.ts'
import { type Caller, type ConsoleCall, type ConsoleEndpoint, Failed, failed, notTheirs } from '../call.ts'
import { briefOf, fieldsOf } from '../fields.ts'
import { pageOf } from '../places.ts'

const NAME = /^[a-z0-9][a-z0-9._-]{1,63}$/

const rowOf = (user: ConsoleUser, now: Date): UserRow => ({
  username: user.username,
  role: user.role as UserRow['role'],
  mch_no: user.mchNo,
  enabled: user.isEnabled,
  totp_enabled: user.isTotpEnabled,
  passkeys: user.passkeys,
  locked_until: user.lockedUntil !== null && user.lockedUntil > now ? user.lockedUntil.toISOString() : null,
  last_signed_in_at: user.lastSignedInAt?.toISOString() ?? null,
  created_at: user.createdAt.toISOString(),
})

async function list(world: World, { caller, query }: ConsoleCall): Promise<UserList | Failed> {
  const read = fieldsOf(query)
  const after = read.text('after', 64) ?? ''
  const limit = read.limit()
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const found = await listConsoleUsers(world.pool, caller.mchNo, after, limit + 1)
  const now = world.now()
  const rows = found.map((user) => rowOf(user, now))
  return pageOf(rows, limit, ({ username }) => username)
}

/** Who shall be a user: a name, a role, and the merchant where the role is a merchant's. */
export async function newUserIn(
  world: World,
  { caller, body }: ConsoleCall,
): Promise<{ username: string; role: Role; mchNo: string | null } | Failed> {
  const read = fieldsOf(body)
  const username = read.needed('username', 64)
  if (!NAME.test(username))
    read.say('username', '应为2到64个小写字母、数字或 . _ -', 'should be 2 to 64 of a-z, 0-9, . _ -')
  const role = read.word('role', ROLES)
  if (role === null) read.say('role', '不能为空', 'is missing')
  const mchNo = read.text('mch_no', 32)
  if (role !== null && isMerchantRole(role) !== (mchNo !== null)) {
    read.say('mch_no', '商户角色须填商户号，平台角色不填', 'is for the roles of a merchant, and only for those')
  }
  const wrong = read.failed()
  if (wrong !== null || role === null) return wrong ?? ABSENT()
  if (caller.mchNo !== null && mchNo !== caller.mchNo) return notTheirs()
  if (mchNo !== null && (await findMerchant(world.pool, mchNo, world.now())) === null) {
    return failed('FIELD_INVALID', 'mch_no 没有这个商户', 'mch_no is no merchant', { field: 'mch_no' })
  }
  return { username, role, mchNo }
}

export const NAME_TAKEN = () => failed('CONFLICT', '用户名已被使用', 'This name is taken', { field: 'username' })

async function add(world: World, call: ConsoleCall): Promise<UserChanged | Failed> {
  const user = await newUserIn(world, call)
  if (user instanceof Failed) return user
  const password = await addUser(world, user)
  return password === null ? NAME_TAKEN() : changed(world, user.username, password)
}

async function change(world: World, { caller, path, body }: ConsoleCall): Promise<UserChanged | Failed> {
  const { username = '' } = path
  const user = await findConsoleUser(world.pool, username)
  // To a merchant's admin, users of other merchants and of the platform do not exist.
  if (user === null || (caller.mchNo !== null && user.mchNo !== caller.mchNo)) return ABSENT()
  if (username === caller.username)
    return failed('CONFLICT', '不能修改自己的账号', 'You cannot change your own account here')
  const read = fieldsOf(body)
  const role = read.word('role', ROLES)
  if (role !== null && isMerchantRole(role) !== (user.mchNo !== null)) {
    read.say('role', '应与用户所属一致', 'should fit what the user belongs to')
  }
  const asked = {
    role,
    isEnabled: read.yes('enabled'),
    unlock: read.yes('unlock') === true,
    resetPassword: read.yes('reset_password') === true,
    dropSecondFactor: read.yes('reset_totp') === true,
  }
  const wrong = read.failed()
  if (wrong !== null) return wrong
  const password = await changeUser(world, username, asked)
  return changed(world, username, password)
}

async function changed(world: World, username: string, password: string | null): Promise<UserChanged | Failed> {
  const user = await findConsoleUser(world.pool, username)
  return user === null ? ABSENT() : { user: rowOf(user, world.now()), password }
}

/** What calls about a user may change; nothing of a user whom the caller does not see. */
export async function userState(world: World, caller: Caller, username: unknown): Promise<Record<string, unknown>> {
  const user = typeof username === 'string' && NAME.test(username) ? await findConsoleUser(world.pool, username) : null
  if (user === null || (caller.mchNo !== null && user.mchNo !== caller.mchNo)) return {}
  return {
    role: user.role,
    mch_no: user.mchNo,
    enabled: user.isEnabled,
    totp_enabled: user.isTotpEnabled,
    passkeys: user.passkeys,
    must_change_password: user.mustChangePassword,
    password: hidden(world, user.passwordHash),
    locked_until: user.lockedUntil,
  }
}

const ABSENT = () => failed('NOT_FOUND', '没有这个用户', 'There is no such user')

const auditedUser = (mchNo: string | null, subject: unknown, body: Record<string, unknown>) => {
  const { role, enabled, unlock, reset_password, reset_totp } = body
  const detail = { role, enabled, unlock, reset_password, reset_totp }
  return { mchNo, subject: briefOf(subject, 64), detail }
}

export const userEndpoints: ConsoleEndpoint[] = [
  { method: 'GET', path: 'users', permission: 'users.read', handle: list },
  {
    method: 'POST',
    path: 'users',
    permission: 'users.write',
    needsProof: () => true,
    action: 'users.add',
    stateOf: (world, { caller, body }) => userState(world, caller, body.username),
    audited: ({ body }) =>
      auditedUser(typeof body.mch_no === 'string' ? body.mch_no.slice(0, 32) : null, body.username, body),
    handle: add,
  },
  {
    method: 'PUT',
    path: 'users/:username',
    permission: 'users.write',
    needsProof: () => true,
    action: 'users.change',
    stateOf: (world, { caller, path }) => userState(world, caller, path.username),
    // The entry belongs to the user's merchant, so that its admin reads what the platform did to its users.
    audited: async ({ path, body }, world) => {
      const user = await findConsoleUser(world.pool, path.username ?? '')
      return auditedUser(user?.mchNo ?? null, path.username, body)
    },
    handle: change,
  },
]
